import type * as pulumi from "@pulumi/pulumi";
import type { ReleaseKind } from "../release/model.js";
import { HandledResource } from "../runtime/dynamic.js";
import type { TrafficTable } from "./model.js";
import type { Leaving } from "./route/crossing.js";
import type { RouteInputs, RouteState } from "./route/handler.js";

export interface RouteArgs {
  readonly stack: pulumi.Input<string>;
  /** Who gets traffic. */
  readonly table: pulumi.Input<TrafficTable>;
  readonly kind: pulumi.Input<ReleaseKind>;
  /** Milliseconds: `deadlineMs` for a former release that is not kept warm, `onRollbackMs` for an abandoned one. */
  readonly drain: pulumi.Input<{ deadlineMs: number; onRollbackMs: number }>;
  /** False: the former's containers go at the end of this update, so that its sessions are waited for here. */
  readonly keepWarm: pulumi.Input<boolean>;
  /** Where journal and lock lie; relative to the project. */
  readonly dataDir: pulumi.Input<string>;
  /** Where this release moves to other data: what it leaves. */
  readonly leaving?: pulumi.Input<Leaving>;
}

/**
 * Who gets traffic. Its diff asks the live proxy, not the state: a switch that was left half done, or that the command
 * line made already, is seen and made good by the next update.
 */
export class Route extends HandledResource<RouteInputs, RouteState> {
  /** ISO 8601: when this release began to serve. */
  declare readonly switchedAt: pulumi.Output<string>;
  /** Of the proxy's config then. */
  declare readonly digest: pulumi.Output<string>;

  constructor(name: string, args: RouteArgs, opts?: pulumi.CustomResourceOptions) {
    super("traffic/route", "Route", name, args, ["switchedAt", "digest"], opts);
  }
}
