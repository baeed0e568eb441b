import { createRequire } from "node:module";

import type * as Grpc from "@grpc/grpc-js";
import type * as ProviderService from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderMessages from "@pulumi/pulumi/proto/provider_pb";
import type * as PluginMessages from "@pulumi/pulumi/proto/plugin_pb";
import type * as StatusMessages from "@pulumi/pulumi/proto/status_pb";
import type * as AnyMessages from "google-protobuf/google/protobuf/any_pb";
import type * as EmptyMessages from "google-protobuf/google/protobuf/empty_pb";
import type * as StructMessages from "google-protobuf/google/protobuf/struct_pb";

/** What a native plugin needs to speak to the engine: the messages and the service, as Pulumi's SDK brings them. */
export interface Sdk {
  readonly grpc: typeof Grpc;
  readonly service: typeof ProviderService.ResourceProviderService;
  readonly messages: typeof ProviderMessages;
  readonly plugin: typeof PluginMessages;
  readonly Status: typeof StatusMessages.Status;
  readonly Any: typeof AnyMessages.Any;
  readonly Empty: typeof EmptyMessages.Empty;
  readonly Struct: typeof StructMessages.Struct;
}

/** Loads it, and its libraries as the SDK itself sees them: two copies of a message's class don't know one another. */
export function loadSdk(): Sdk {
  const load = createRequire(createRequire(__filename).resolve("@pulumi/pulumi/package.json"));
  const well = "google-protobuf/google/protobuf";
  return {
    grpc: load("@grpc/grpc-js") as typeof Grpc,
    service: (load("@pulumi/pulumi/proto/provider_grpc_pb") as typeof ProviderService).ResourceProviderService,
    messages: load("@pulumi/pulumi/proto/provider_pb") as typeof ProviderMessages,
    plugin: load("@pulumi/pulumi/proto/plugin_pb") as typeof PluginMessages,
    Status: (load("@pulumi/pulumi/proto/status_pb") as typeof StatusMessages).Status,
    Any: (load(`${well}/any_pb`) as typeof AnyMessages).Any,
    Empty: (load(`${well}/empty_pb`) as typeof EmptyMessages).Empty,
    Struct: (load(`${well}/struct_pb`) as typeof StructMessages).Struct,
  };
}
