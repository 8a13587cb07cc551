import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { AppRevision, type RevisionArgs } from "../app/revision.js";
import { declareAdopting } from "../adopt/adopting.js";
import { declareBackup, type DeclaredBackup } from "../backup/backup.js";
import type { BackupOutcome } from "../backup/model.js";
import { Judge } from "../canary/canary.js";
import { Gate } from "../gate/gate.js";
import { declareSending } from "../repository/sending.js";
import { declareRestore, type DeclaredRestore } from "../restore/restore.js";
import { labelList } from "../runtime/labels.js";
import type { Settings } from "../settings/schema.js";
import { Front } from "../traffic/front.js";
import { proxyOptionsOf } from "../traffic/options.js";
import { Proxy } from "../traffic/proxy.js";
import { Route } from "../traffic/route.js";
import type { Leaving } from "../traffic/route/crossing.js";
import { asOutput, ledgerAfter, recordOf } from "./ledger.js";
import type { CanaryPlan, Plan, ReleaseFacts, ReleaseRecord, RestorePlan, RevisionPlan } from "./model.js";
import { stackNames, type StackNames } from "./names.js";
import { type Store, Stores } from "./stores.js";
import { trafficTable } from "./traffic-table.js";

export interface ReleaseArgs {
  readonly plan: Plan;
  /** Today's settings; those of the present release where the plan is to keep it as recorded. */
  readonly settings: Settings;
  /** The ledger as it was read. */
  readonly ledger: ReleaseRecord[];
}

/** What all revisions of the app are given. */
type CommonArgs = Pick<RevisionArgs, "stack" | "network" | "secretEnv">;

/**
 * One release, declared. The order is backup -> image, restore -> front -> containers -> gate -> route -> judge -> ledger; deletions come
 * last, and only if nothing failed. Whatever may change depends on the backup, so that nothing is touched when it fails; an image alone
 * is built before one that users' writes are paused for.
 */
export class Release extends pulumi.ComponentResource {
  declare readonly outputs: Record<string, pulumi.Input<unknown>>;
  private readonly names: StackNames;

  constructor(name: string, private readonly args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pbjrag:release:Release", name, {}, opts);
    const { plan, settings } = args;
    this.names = stackNames(plan.stack, settings.volumes);

    // From such a backup on users cannot write until the route has moved: what may take minutes and touches nobody is done before.
    const early = this.heldMs() === null ? null : this.image(plan.serving, []);
    const backup = declareBackup({ plan, settings, names: this.names }, { parent: this, dependsOn: early?.built ?? [] });
    declareSending({ plan, settings, outcome: backup.outcome }, { parent: this, dependsOn: backup.command });
    const image = (early ?? this.image(plan.serving, [backup.command])).id;
    const adopting = declareAdopting({ plan, settings, image }, { parent: this, dependsOn: backup.command });
    /** What nothing that serves may be made before. */
    const ready = adopting ?? backup.command;
    const afterBackup: pulumi.ComponentResourceOptions = { parent: this, dependsOn: backup.command };
    const network = new docker.Network(
      "network",
      { name: this.names.network, driver: "bridge", labels: labelList({ stack: plan.stack, role: "data" }) },
      afterBackup,
    );
    const restored = plan.restore === null ? null : this.restore(plan.restore, backup);
    const stores = new Stores({ plan, settings, names: this.names, network: network.name, parent: this, ready, restore: restored?.command ?? null });
    const store = stores.of(plan.serving.storage);
    const proxy = new Proxy("proxy", { stack: plan.stack, names: this.names, settings: settings.proxy, network: network.name }, { parent: this, dependsOn: ready });
    const front = new Front("front", { stack: plan.stack, proxyContainer: proxy.container.name, dataDir: settings.dataDir, options: proxyOptionsOf(settings.proxy) }, { parent: this, dependsOn: proxy });

    const common = { stack: plan.stack, network: network.name, secretEnv: secretEnv(settings) };
    const serving = new AppRevision(
      { ...common, uploadsVolume: store.uploadsVolume.name, plan: plan.serving, image, asRecorded: plan.asRecorded },
      { parent: this, dependsOn: [front, store.qdrant, backup.command] },
    );
    if (plan.former !== null) {
      const former = plan.former;
      if (former.image.origin !== "recorded") throw new Error(`the former release ${former.revision} has no recorded image`);
      new AppRevision({ ...common, uploadsVolume: stores.of(former.storage).uploadsVolume.name, plan: former, image: former.image.id, asRecorded: true }, { parent: this });
    }

    const gate = this.gate(plan.serving, "serving", plan.attempt, serving, store, this.countsBefore(backup.outcome, restored));
    const tried = plan.canary === null ? [] : [this.canary(plan.canary, common, store, front)];
    const route = new Route(
      "route",
      {
        stack: plan.stack,
        table: trafficTable(plan),
        kind: plan.kind,
        drain: { deadlineMs: settings.drain.deadline, onRollbackMs: settings.drain.onRollback },
        keepWarm: settings.keepWarm,
        dataDir: settings.dataDir,
        ...this.leaving(backup.outcome),
      },
      { parent: this, dependsOn: [gate, front, ...tried] },
    );
    this.outputs = { ...this.describe(image, backup.outcome, gate, route, proxy), ...(plan.canary === null ? {} : { canary: this.tried(plan.canary, route) }) };
    this.registerOutputs({});
  }

  /** The image's ID: built at the tag, or the recorded one of an earlier release, which a rollback runs as it was. */
  private image(revision: RevisionPlan, dependsOn: pulumi.Resource[]): { id: pulumi.Output<string>; built: pulumi.Resource[] } {
    if (revision.image.origin === "recorded") return { id: pulumi.output(revision.image.id), built: [] };
    const { resource, name, context, dockerfile } = revision.image;
    const image = new docker.Image(
      resource,
      { imageName: name, skipPush: true, build: { context, dockerfile: `${context}/${dockerfile}`, platform: platform() } },
      { parent: this, dependsOn, retainOnDelete: true },
    );
    return { id: image.repoDigest, built: [image] };
  }

  /** The volumes of a generation that this release is the first to run on. */
  private restore(plan: RestorePlan, backup: DeclaredBackup): DeclaredRestore {
    const { stack } = this.args.plan;
    const { dataDir, qdrant } = this.args.settings;
    const ownBackup = backup.outcome.apply((outcome) => outcome.backup);
    return declareRestore({ stack, plan, names: this.names, dataDir, qdrantImage: qdrant.image, pauseMs: this.heldMs(), ownBackup }, { parent: this, dependsOn: backup.command });
  }

  /** Milliseconds of a pause of writes that lasts until the route has moved; null: there is none. */
  private heldMs(): number | null {
    const { pause } = this.args.plan.backup;
    return pause?.until === "route" ? pause.leaseMs : null;
  }

  /** The data that this release moves away from, for the route's last look at it. */
  private leaving(backup: pulumi.Output<BackupOutcome>): { leaving?: pulumi.Output<Leaving> } {
    const { past, serving } = this.args.plan;
    const left = past.at(-1);
    if (left === undefined || left.generation === serving.generation) return {};
    const qdrant = this.names.qdrantContainer(left.storage.qdrant);
    return { leaving: backup.apply((outcome) => ({ qdrant, generation: left.generation, backup: outcome.backup, counts: outcome.collections, paused: outcome.paused })) };
  }

  /** Points that each collection must have at the gate: as restored, or as backed up; of data that was left, nothing is known. */
  private countsBefore(backup: pulumi.Output<BackupOutcome>, restored: DeclaredRestore | null): pulumi.Output<Record<string, number>> {
    const { plan } = this.args;
    if (restored !== null && plan.restore?.parts.includes("qdrant") === true) return restored.outcome.apply((outcome) => outcome.collections);
    return backup.apply((outcome) => (plan.backup.storage.qdrant === plan.serving.storage.qdrant ? outcome.collections : {}));
  }

  /** The canary, gated: made as the release that it may become, so that nothing of it is made again then. */
  private canary(canary: CanaryPlan, common: CommonArgs, store: Store, front: Front): Gate {
    const { plan, settings } = this.args;
    const backup = declareBackup({ plan: { ...plan, backup: canary.backup }, settings, names: this.names }, { parent: this });
    declareSending({ plan: { stack: plan.stack, backup: canary.backup }, settings, outcome: backup.outcome }, { parent: this, dependsOn: backup.command });
    const image = this.image(canary.revision, [backup.command]).id;
    const app = new AppRevision(
      { ...common, uploadsVolume: store.uploadsVolume.name, plan: canary.revision, image, asRecorded: false },
      { parent: this, dependsOn: [front, store.qdrant, backup.command] },
    );
    return this.gate(canary.revision, "canary", canary.attempt, app, store, backup.outcome.apply(({ collections }) => collections));
  }

  /** What a person is told of it. */
  private tried(canary: CanaryPlan, route: Route): pulumi.Input<object> {
    const { verdict, promotes, weight, summary } = this.judge(canary, route);
    return { version: canary.revision.tag, verdict, promotes, weight, summary };
  }

  private judge({ revision, steps, durationMs, synthetic, onInsufficient, thresholds, attempt }: CanaryPlan, route: Route): Judge {
    const { plan, settings } = this.args;
    const names = ({ replicas }: RevisionPlan): string[] => replicas.map((replica) => replica.name);
    return new Judge(
      `judge-${revision.revision}`,
      {
        stack: plan.stack, tag: revision.tag, revision: revision.revision, containers: names(revision),
        serving: { revision: plan.serving.revision, tag: plan.serving.tag, containers: names(plan.serving) },
        steps, durationMs, onInsufficient, thresholds, attempt,
        synthetic: { sessions: synthetic, port: revision.settings.app.port, requestTimeoutMs: revision.settings.gate.requestTimeout },
        secretEnv: Object.keys(secretEnv(settings)).sort(), dataDir: settings.dataDir,
      },
      { parent: this, dependsOn: route },
    );
  }

  private gate(revision: RevisionPlan, role: "serving" | "canary", attempt: string, app: AppRevision, store: Store, counts: pulumi.Output<Record<string, number>>): Gate {
    const { plan, settings } = this.args;
    const { gate } = role === "canary" ? revision.settings : settings;
    return new Gate(
      `gate-${revision.revision}`,
      {
        stack: plan.stack,
        revision: revision.revision,
        tag: revision.tag,
        role,
        attempt,
        containers: revision.replicas.map((replica) => replica.name),
        port: revision.settings.app.port,
        healthPath: revision.settings.app.health.path,
        scriptPath: revision.settings.app.health.script,
        passes: gate.passes,
        intervalMs: gate.interval,
        deadlineMs: gate.deadline,
        requestTimeoutMs: gate.requestTimeout,
        secretEnv: Object.keys(secretEnv(settings)).sort(),
        qdrant: pulumi.all([store.qdrant.name, counts]).apply(([container, before]) => ({ container, before })),
        ...(role === "canary" || this.heldMs() === null ? {} : { writesPaused: true }),
        dataDir: settings.dataDir,
      },
      { parent: this, dependsOn: [app, store.qdrant] },
    );
  }

  private describe(
    image: pulumi.Output<string>, backup: pulumi.Output<BackupOutcome>, gate: Gate, route: Route, proxy: Proxy,
  ): Record<string, pulumi.Input<unknown>> {
    const { plan, ledger } = this.args;
    // Known but for its facts, so that a preview shows the entry that is added, and not the whole list as unknown. No fact
    // is a secret; Pulumi would mark them as such because inputs of their sources are.
    const facts: { [K in keyof ReleaseFacts]: pulumi.Input<string> } = {
      imageId: pulumi.unsecret(image),
      qdrantVersion: pulumi.unsecret(gate.measured.apply((measured) => measured.qdrantVersion)),
      backup: pulumi.unsecret(backup.apply((outcome) => outcome.backup)),
      noBackupReason: pulumi.unsecret(backup.apply((outcome) => outcome.reason)),
      restoredFrom: plan.restore === null ? "" : plan.restore.from === null ? pulumi.unsecret(backup.apply((outcome) => outcome.backup)) : plan.restore.from,
      switchedAt: pulumi.unsecret(route.switchedAt),
    };
    return {
      url: proxy.url,
      version: plan.serving.tag,
      previous: plan.former?.tag ?? null,
      releases: asOutput(ledgerAfter(plan, plan.step === "unchanged" ? null : recordOf(plan, facts), ledger)),
      backup: facts.backup,
    };
  }
}

/** Docker is on this host, so what is built is for its processor. */
function platform(): string {
  return `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
}

/** Secrets as environment; the API key of Qdrant is one as well. */
function secretEnv(settings: Settings): Record<string, string> {
  const { apiKey } = settings.qdrant;
  return { ...settings.app.secretEnv, ...(apiKey === undefined ? {} : { QDRANT_API_KEY: apiKey }) };
}
