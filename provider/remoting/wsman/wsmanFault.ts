/** A SOAP fault with what WS-Management and Windows add: DSP0226 14, MS-WSMV 2.2.4.43. */
export interface WsmanFault {
  /** `Sender` or `Receiver`: whose fault it is. */
  readonly role: string;
  /** Local name of the subcode, `TimedOut`, `InvalidSelectors`. */
  readonly subcode: string | undefined;
  readonly reason: string;
  /** Last part of w:FaultDetail, `UnexpectedSelectors`. */
  readonly detail: string | undefined;
  /** `WSManFault/@Code`, unsigned. */
  readonly code: number | undefined;
  readonly machine: string | undefined;
  readonly provider: ProviderFault | undefined;
  /** The most telling text: the innermost WSManFault message, otherwise the reason. Exchange's carries `[RequestId=...]`. */
  readonly message: string;
}

/** What the plug-in (Exchange, PowerShell) behind WS-Management said: MS-WSMV 2.2.4.31. */
export interface ProviderFault {
  readonly provider: string;
  readonly path: string;
  readonly code: number | undefined;
}
