import { Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import type { Props } from "./values.js";

/** A state with backups and plans in it is larger than gRPC's default of 4 MB. */
export const CHANNEL_OPTIONS = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

/** Properties as a protobuf structure. */
export function toStruct(props: Props): Struct {
  return Struct.fromJavaScript(props);
}

/** Properties of a protobuf structure. */
export function fromStruct(struct: Struct | undefined): Props {
  return (struct?.toJavaScript() ?? {});
}

/** Calls a unary method of a generated client. */
export function call<Request, Response>(
  method: (request: Request, done: (error: ServiceError | null, response: Response) => void) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, (error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

/** Binds a server to a free local port and answers its address. */
export function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}
