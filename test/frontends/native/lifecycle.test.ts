/*
 * Stories of the life cycle that run over the dynamic front end too, from their own files: here over the native one, in
 * this process, through gRPC.
 */
import "../../lifecycle/connectors.test";
import "../../lifecycle/declarations.test";
import "../../lifecycle/removal.test";

import { useFrontEnd } from "../../miniEngine";
import { nativeFrontEnd } from "./nativePlugin";

useFrontEnd(nativeFrontEnd);
