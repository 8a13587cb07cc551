import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import type { Metadata } from "@grpc/grpc-js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import {
  CheckRequest,
  ConfigureRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  DiffResponse,
  ErrorResourceInitFailed,
  ReadRequest,
  UpdateRequest,
  type CheckResponse,
  type ConfigureResponse,
  type CreateResponse,
  type ReadResponse,
  type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { LAZY } from "../engine/program.js";
import { fail } from "../errors.js";
import { call, CHANNEL_OPTIONS, fromStruct, toStruct } from "../rpc.js";
import { changedKeys, type Props } from "../values.js";
import { PartialFailure, SAME, type Call, type Diff, type Found, type Made, type Provider, type Report } from "./provider.js";

/** Where the process of the dynamic resources is started, and with what. */
export interface DynamicOptions {
  /** The directory that the project's modules are found from, and that handlers run in. */
  directory: string;
  engineAddress: string;
  /** The stack's config, decrypted. */
  config: Props;
  /** Where what handlers print goes. */
  report: Report;
}

/** Resources whose provider is part of the program: Pulumi's own process runs their handlers. */
export class DynamicProvider implements Provider {
  private started: Promise<{ client: ResourceProviderClient; child: ChildProcess }> | undefined;

  constructor(private readonly options: DynamicOptions) {}

  /** Starts the process ahead of its first use: that takes a second. */
  warm(): void {
    // A failure is reported by the first call.
    this.client().catch(() => undefined);
  }

  async check(about: Call, olds: Props | undefined, news: Props): Promise<Props> {
    const request = new CheckRequest();
    request.setUrn(about.urn);
    request.setOlds(toStruct(olds ?? {}));
    request.setNews(toStruct(news));
    const client = await this.client();
    const response = await call<CheckRequest, CheckResponse>((sent, done) => client.check(sent, done), request);
    const failures = response.getFailuresList().map((each) => `${each.getProperty()}: ${each.getReason()}`);
    if (failures.length > 0) fail(`${about.type} resource '${about.name}' has a problem: ${failures.join("; ")}`);
    return fromStruct(response.getInputs());
  }

  async diff(about: Call, id: string, _inputs: Props, outputs: Props, news: Props, ignored: string[]): Promise<Diff | undefined> {
    const request = new DiffRequest();
    request.setId(id);
    request.setUrn(about.urn);
    request.setOlds(toStruct(outputs));
    request.setNews(toStruct(news));
    request.setIgnorechangesList(ignored);
    const client = await this.client();
    const response = await call<DiffRequest, DiffResponse>((sent, done) => client.diff(sent, done), request);
    const changes = response.getChanges();
    if (changes === DiffResponse.DiffChanges.DIFF_UNKNOWN) return undefined;
    if (changes === DiffResponse.DiffChanges.DIFF_NONE) return SAME;
    const replaceKeys = response.getReplacesList();
    const keys = changedKeys(outputs, news).filter((key) => key in news);
    return { changed: true, keys, replaceKeys, deleteBeforeReplace: response.getDeletebeforereplace() };
  }

  async create(about: Call, news: Props): Promise<Made> {
    const request = new CreateRequest();
    request.setUrn(about.urn);
    request.setProperties(toStruct(news));
    const client = await this.client();
    const response = await explained(call<CreateRequest, CreateResponse>((sent, done) => client.create(sent, done), request));
    return { id: response.getId(), outputs: fromStruct(response.getProperties()) };
  }

  previewOutputs(_about: Call, news: Props): Props {
    return news;
  }

  async update(about: Call, id: string, _inputs: Props, outputs: Props, news: Props): Promise<Props> {
    const request = new UpdateRequest();
    request.setId(id);
    request.setUrn(about.urn);
    request.setOlds(toStruct(outputs));
    request.setNews(toStruct(news));
    const client = await this.client();
    const response = await explained(call<UpdateRequest, UpdateResponse>((sent, done) => client.update(sent, done), request));
    return fromStruct(response.getProperties());
  }

  async delete(about: Call, id: string, _inputs: Props, outputs: Props): Promise<void> {
    const request = new DeleteRequest();
    request.setId(id);
    request.setUrn(about.urn);
    request.setProperties(toStruct(outputs));
    const client = await this.client();
    await explained(call<DeleteRequest, Empty>((sent, done) => client.delete(sent, done), request));
  }

  async read(about: Call, id: string, inputs: Props, outputs: Props): Promise<Found | undefined> {
    const request = new ReadRequest();
    request.setId(id);
    request.setUrn(about.urn);
    request.setInputs(toStruct(inputs));
    request.setProperties(toStruct(outputs));
    const client = await this.client();
    const response = await explained(call<ReadRequest, ReadResponse>((sent, done) => client.read(sent, done), request));
    if (response.getId() === "") return undefined;
    const found: Found = { id: response.getId(), outputs: fromStruct(response.getProperties()) };
    return response.hasInputs() ? { ...found, inputs: fromStruct(response.getInputs()) } : found;
  }

  async close(): Promise<void> {
    if (this.started === undefined) return;
    try {
      const { client, child } = await this.started;
      client.close();
      child.kill();
    } catch {
      // It never started: there is nothing to end.
    }
  }

  private async client(): Promise<ResourceProviderClient> {
    this.started ??= this.start();
    return (await this.started).client;
  }

  private async start(): Promise<{ client: ResourceProviderClient; child: ChildProcess }> {
    const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider", { paths: [this.options.directory] });
    const child = spawn(process.execPath, ["--require", LAZY, script, this.options.engineAddress], {
      cwd: this.options.directory,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const port = await this.port(child);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL_OPTIONS);
    const request = new ConfigureRequest();
    request.setArgs(toStruct(this.options.config));
    await call<ConfigureRequest, ConfigureResponse>((sent, done) => client.configure(sent, done), request);
    return { client, child };
  }

  /** The process says its port in its first line; what follows was printed by handlers. */
  private port(child: ChildProcess): Promise<number> {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) return fail("the dynamic provider has no output");
    return new Promise((resolve, reject) => {
      let said = false;
      createInterface({ input: stdout }).on("line", (line) => {
        if (said) return this.options.report("info", line);
        said = true;
        resolve(Number(line));
      });
      createInterface({ input: stderr }).on("line", (line) => this.options.report("info", line));
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`the dynamic provider ended with code ${code} before it was ready`)));
    });
  }
}

/** Turns a handler's error into one the engine understands: thrown plainly, or with what it has made. */
async function explained<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { details, metadata } = error as ServiceError;
    throw partial(metadata) ?? new Error(details === undefined || details === "" ? String(error) : details);
  }
}

function partial(metadata: Metadata | undefined): PartialFailure | undefined {
  const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!(bytes instanceof Buffer)) return undefined;
  for (const any of Status.deserializeBinary(bytes).getDetailsList()) {
    if (!any.getTypeUrl().endsWith("pulumirpc.ErrorResourceInitFailed")) continue;
    const detail = ErrorResourceInitFailed.deserializeBinary(any.getValue_asU8());
    const made = { id: detail.getId(), outputs: fromStruct(detail.getProperties()) };
    return new PartialFailure(made, detail.getReasonsList());
  }
  return undefined;
}
