import { atOnce } from "../../../provider/remoting/steps";
import { parseXml } from "../../../provider/remoting/xml";
import { decodeFault, encodeFaultBody, isFault } from "../../../provider/remoting/wsman/fault";
import type { WsmanFault } from "../../../provider/remoting/wsman/wsmanFault";
import { NAMESPACES } from "../../../provider/remoting/wsman/names";

const declarations = Object.entries(NAMESPACES)
  .map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`)
  .join(" ");

function read(fault: string): WsmanFault {
  const decoded = decodeFault(atOnce(parseXml(`<s:Body ${declarations}>${fault}</s:Body>`)));
  if (decoded === undefined) throw new Error("There is no fault.");
  return decoded;
}

const CODE = "<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:InvalidSelectors</s:Value></s:Subcode></s:Code>";

describe("faults", () => {
  it("tell role, subcode, reason, detail, code and machine", () => {
    const fault = read(
      `<s:Fault>${CODE}<s:Reason><s:Text xml:lang="de-DE"> Nein. </s:Text></s:Reason><s:Detail>` +
        `<w:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors</w:FaultDetail>` +
        `<f:WSManFault Code="2150858843" Machine="ex01"><f:Message>Keine Shell. </f:Message></f:WSManFault></s:Detail></s:Fault>`,
    );
    expect(fault).toEqual({
      role: "Sender",
      subcode: "InvalidSelectors",
      reason: "Nein.",
      detail: "UnexpectedSelectors",
      code: 2150858843,
      machine: "ex01",
      provider: undefined,
      message: "Keine Shell.",
    });
    expect(isFault(fault, "InvalidSelectors")).toBe(true);
    expect(isFault(fault, "TimedOut")).toBe(false);
  });

  it("tell the message of the provider where there is one", () => {
    const fault = read(
      `<s:Fault>${CODE}<s:Detail><f:WSManFault Code="2150858843"><f:Message>` +
        `<f:ProviderFault provider="Shell provider" path="%systemroot%\\system32\\WsmSvc.dll">` +
        `<f:WSManFault Code="5"><f:Message>[RequestId=1] Zugriff verweigert.</f:Message></f:WSManFault>` +
        `</f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>`,
    );
    expect(fault.provider).toEqual({ provider: "Shell provider", path: "%systemroot%\\system32\\WsmSvc.dll", code: 5 });
    expect(fault.message).toBe("[RequestId=1] Zugriff verweigert.");
    expect(isFault(fault, "AccessDenied")).toBe(true);
    expect(isFault(fault, "InvalidSelectors")).toBe(true);
  });

  it("tell bare text of a provider, and a code that was printed signed", () => {
    const fault = read(
      `<s:Fault>${CODE}<s:Detail><f:WSManFault Code="-2144108477"><f:Message>` +
        `<f:ProviderFault provider="x" path="y">denied</f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>`,
    );
    expect(fault.code).toBe(0x80338043);
    expect(fault.message).toBe("denied");
    expect(isFault(fault, "AccessDeniedByPlugin")).toBe(true);
  });

  it("are known by their subcode where Windows' own part is missing, and never by their text", () => {
    const fault = read(
      `<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>wsman:TimedOut</s:Value></s:Subcode></s:Code>` +
        `<s:Reason><s:Text>InvalidSelectors</s:Text></s:Reason></s:Fault>`,
    );
    expect(isFault(fault, "TimedOut")).toBe(true);
    expect(isFault(fault, "InvalidSelectors")).toBe(false);
    expect(fault.message).toBe("InvalidSelectors");
  });

  it("have a message even when they say nothing at all", () => {
    expect(read("<s:Fault/>")).toEqual({
      role: "",
      subcode: undefined,
      reason: "",
      detail: undefined,
      code: undefined,
      machine: undefined,
      provider: undefined,
      message: "a fault without a text",
    });
    expect(decodeFault(atOnce(parseXml(`<s:Body ${declarations}><s:NoFault/></s:Body>`)))).toBeUndefined();
  });

  it("come back as the server half wrote them", () => {
    const fault = read(
      encodeFaultBody({
        role: "Sender",
        subcode: "w:QuotaLimit",
        code: 0x8033803f,
        message: "<busy> & so",
        detail: "Limit",
      }),
    );
    expect(fault).toMatchObject({
      role: "Sender",
      subcode: "QuotaLimit",
      code: 0x8033803f,
      message: "<busy> & so",
      detail: "Limit",
    });
  });
});
