import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";

/**
 * A client of the provider that listens on that port of this machine. It shares its connection with no other client:
 * the port may have been an earlier process's, which is gone, and to which a client of that still tries to connect.
 */
export function clientOf(port: number | string): ResourceProviderClient {
  const options = { "grpc.use_local_subchannel_pool": 1 };
  return new ResourceProviderClient(`127.0.0.1:${String(port)}`, credentials.createInsecure(), options);
}
