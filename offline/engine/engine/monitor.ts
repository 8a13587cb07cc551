import { Server, status, type handleUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { GetRootResourceResponse, RequirePulumiVersionResponse, SetRootResourceResponse, type LogRequest, type SetRootResourceRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import {
  DeploymentInfo,
  ReadResourceResponse,
  RegisterResourceResponse,
  ResourceMonitorFeature as Feature,
  SupportsFeatureResponse,
  type ExistsResourceRequest,
  type ReadResourceRequest,
  type RegisterErrorHookRequest,
  type RegisterPackageRequest,
  type RegisterResourceHookRequest,
  type RegisterResourceOutputsRequest,
  type RegisterResourceRequest,
  type ResourceCallRequest,
  type ResourceInvokeRequest,
  type SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import { messageOf, refuse } from "../errors.js";
import { CHANNEL_OPTIONS, fromStruct, listen, toStruct } from "../rpc.js";
import type { StackName } from "../state/backend.js";
import { unwrapOutputs, withoutNulls, type Props } from "../values.js";
import type { Deployment } from "./deployment.js";
import type { Events, Severity } from "./events.js";
import { goalOf } from "./goal.js";
import type { Progress } from "./progress.js";
import { REFERENCE_TYPE, urnOf } from "./urn.js";

const FEATURES = {
  secrets: Feature.RESOURCE_MONITOR_FEATURE_SECRETS,
  resourceReferences: Feature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  outputValues: Feature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  aliasSpecs: Feature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  deletedWith: Feature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
};

const SEVERITIES: Severity[] = ["debug", "info", "warning", "error"];

/** What the services work with. */
export interface MonitorParts {
  stack: StackName;
  preview: boolean;
  deployment: Deployment;
  events: Events;
  progress: Progress;
  /** The stack's own URN: messages without one are about it. */
  rootUrn: string;
}

/** A call: what it is about, and how it is served. */
interface Work<Response> {
  about: string;
  run(): Promise<Response>;
}

/** The two services that a running program talks to: registrations, and messages. */
export class Monitor {
  private readonly server = new Server(CHANNEL_OPTIONS);
  private root = "";

  constructor(private readonly parts: MonitorParts) {
    this.server.addService(ResourceMonitorService, {
      getDeploymentInfo: answer(() => this.deploymentInfo()),
      supportsFeature: answer((request: SupportsFeatureRequest) => {
        const response = new SupportsFeatureResponse();
        response.setHassupport(request.getId() in FEATURES);
        return response;
      }),
      registerResource: this.work((request: RegisterResourceRequest) => this.register(request)),
      registerResourceOutputs: this.work((request: RegisterResourceOutputsRequest) => this.outputs(request)),
      readResource: this.work((request: ReadResourceRequest) => this.read(request)),
      invoke: this.refused((request: ResourceInvokeRequest) => `the function ${request.getTok()}`),
      call: this.refused((request: ResourceCallRequest) => `the method ${request.getTok()}`),
      existsResource: this.refused((request: ExistsResourceRequest) => `looking up a resource (${request.getType()})`),
      registerStackTransform: this.refused(() => "stack transforms"),
      registerStackInvokeTransform: this.refused(() => "stack invoke transforms"),
      registerResourceHook: this.refused((request: RegisterResourceHookRequest) => `resource hooks ('${request.getName()}')`),
      registerErrorHook: this.refused((request: RegisterErrorHookRequest) => `error hooks ('${request.getName()}')`),
      registerPackage: this.refused((request: RegisterPackageRequest) => `parameterized packages ('${request.getName()}')`),
      signalAndWaitForShutdown: (_call: unknown, done: sendUnaryData<Empty>) => {
        // Answered when the update has ended, as the real engine does: the program stays until then.
        parts.progress.programDone();
        void parts.progress.ended.then(() => done(null, new Empty()));
      },
    });
    this.server.addService(EngineService, {
      log: answer((request: LogRequest) => this.log(request)),
      getRootResource: answer(() => {
        const response = new GetRootResourceResponse();
        response.setUrn(this.root);
        return response;
      }),
      setRootResource: answer((request: SetRootResourceRequest) => {
        this.root = request.getUrn();
        return new SetRootResourceResponse();
      }),
      startDebugging: this.refused(() => "debugging"),
      requirePulumiVersion: answer(() => new RequirePulumiVersionResponse()),
    });
  }

  /** Starts serving; answers the address. */
  start(): Promise<string> {
    return listen(this.server);
  }

  /** Stops serving at once. */
  stop(): void {
    this.server.forceShutdown();
  }

  private register(request: RegisterResourceRequest): Work<RegisterResourceResponse> {
    const { stack, deployment } = this.parts;
    const about = urnOf(stack, request.getType(), request.getName(), request.getParent());
    const run = async (): Promise<RegisterResourceResponse> => {
      const state = await deployment.register(goalOf(request, stack));
      const response = new RegisterResourceResponse();
      response.setUrn(state.urn);
      response.setId(state.id ?? "");
      response.setObject(toStruct(state.outputs ?? {}));
      return response;
    };
    return { about, run };
  }

  private outputs(request: RegisterResourceOutputsRequest): Work<Empty> {
    const about = request.getUrn();
    const run = (): Promise<Empty> => {
      this.parts.deployment.registerOutputs(about, unwrapOutputs(fromStruct(request.getOutputs())) as Props);
      return Promise.resolve(new Empty());
    };
    return { about, run };
  }

  private read(request: ReadResourceRequest): Work<ReadResourceResponse> {
    const type = request.getType();
    const urn = urnOf(this.parts.stack, type, request.getName(), request.getParent());
    const run = async (): Promise<ReadResourceResponse> => {
      if (type !== REFERENCE_TYPE) refuse(`reading existing resources (${type})`);
      const state = await this.parts.deployment.read({
        urn,
        id: request.getId(),
        parent: request.getParent(),
        inputs: withoutNulls(unwrapOutputs(fromStruct(request.getProperties())) as Props),
        dependencies: request.getDependenciesList(),
      });
      const response = new ReadResourceResponse();
      response.setUrn(state.urn);
      response.setProperties(toStruct(state.outputs ?? {}));
      return response;
    };
    return { about: urn, run };
  }

  private deploymentInfo(): DeploymentInfo {
    const info = new DeploymentInfo();
    info.setProject(this.parts.stack.project);
    info.setStack(this.parts.stack.stack);
    info.setOrganization("organization");
    info.setDryrun(this.parts.preview);
    info.setSupportedfeaturesList(Object.values(FEATURES));
    return info;
  }

  private log(request: LogRequest): Empty {
    const severity = SEVERITIES[request.getSeverity()] ?? "info";
    const urn = request.getUrn() === "" ? this.parts.rootUrn : request.getUrn();
    const shown = request.getEphemeral() && severity === "info" ? "status" : severity;
    if (severity === "error") this.parts.progress.sawError();
    this.parts.events.message(shown, urn, request.getMessage());
    return new Empty();
  }

  /** Serves a call that changes something: not after a failure, and with its errors reported here. */
  private work<Request, Response>(plan: (request: Request) => Work<Response>): handleUnaryCall<Request, Response> {
    const { progress, events } = this.parts;
    const gone = { code: status.UNAVAILABLE, details: "the update has been stopped" };
    return ({ request }, done) => {
      if (progress.stopped) return done(gone);
      const serve = async (): Promise<void> => {
        const work = plan(request);
        try {
          const response = await progress.during(() => work.run());
          done(progress.stopped ? gone : null, response);
        } catch (error) {
          events.problem(work.about, error);
          progress.fail();
          done(gone);
        }
      };
      void serve();
    };
  }

  private refused<Request, Response>(name: (request: Request) => string): handleUnaryCall<Request, Response> {
    return this.work((request) => ({ about: this.parts.rootUrn, run: () => refuse(name(request)) }));
  }
}

function answer<Request, Response>(make: (request: Request) => Response): handleUnaryCall<Request, Response> {
  return ({ request }, done) => {
    try {
      done(null, make(request));
    } catch (error) {
      done({ code: status.INTERNAL, details: messageOf(error) });
    }
  };
}
