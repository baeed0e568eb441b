import type { UntypedServiceImplementation } from "@grpc/grpc-js";

import type { Sdk } from "./sdk";

/** As large as the engine's own messages may be: a stack's outputs with their certificates. */
const LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024;

export interface Serving {
  readonly port: number;
  /** Takes no more calls, and ends when those that run are answered. */
  readonly close: () => Promise<void>;
}

/** A server for the engine on this machine, at a port that is free. */
export async function serve(
  { grpc, service }: Pick<Sdk, "grpc" | "service">,
  implementation: UntypedServiceImplementation,
): Promise<Serving> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": LARGEST_MESSAGE_BYTES,
    "grpc.max_send_message_length": LARGEST_MESSAGE_BYTES,
  });
  server.addService(service, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.tryShutdown(() => {
          resolve();
        });
      }),
  };
}
