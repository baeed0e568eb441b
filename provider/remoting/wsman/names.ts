/** Namespaces, with the prefixes under which they are written here. DSP0226 annex A and MS-WSMV 2.2.1. */
export const NAMESPACES = {
  s: "http://www.w3.org/2003/05/soap-envelope",
  a: "http://schemas.xmlsoap.org/ws/2004/08/addressing",
  x: "http://schemas.xmlsoap.org/ws/2004/09/transfer",
  w: "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
  p: "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
  rsp: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
  f: "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
} as const;

/** Namespace of `creationXml`: MS-PSRP 3.1.5.3.1. */
export const POWERSHELL_NAMESPACE = "http://schemas.microsoft.com/powershell";

/** Actions of requests. A response's action is the same with `Response` at the end. MS-WSMV 3.1.4. */
export const ACTIONS = {
  Create: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create",
  Delete: "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete",
  Command: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command",
  Receive: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive",
  Send: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send",
  Signal: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Signal",
} as const;
export type Operation = keyof typeof ACTIONS;

export const FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
export const ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/** MS-PSRP 3.1.5.3.9 spells the stop signal that way; servers compare it letter by letter. */
export const SIGNALS = {
  stop: "powershell/signal/crtl_c",
  terminate: "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate",
} as const;
export type Signal = keyof typeof SIGNALS;

/** Prefix of CommandState's states: MS-WSMV 2.2.4.7. */
export const COMMAND_STATE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/";
