import fc from "fast-check";
import { string } from "../../../provider/remoting/clixml/types";
import { guidFromBytes, guidToBytes, NIL_GUID, parseGuid } from "../../../provider/remoting/psrp/guid";
import {
  bodyOf,
  decodeMessage,
  encodeMessage,
  MESSAGE_TYPES,
  type MessageType,
} from "../../../provider/remoting/psrp/message";

const POOL = "76056a84-51dc-4f24-9262-ca2a55464b2b";
const PIPELINE = "e888e1df-c962-41d6-befd-f2c82d0abcca";

describe("GUIDs", () => {
  it("are written with their first three fields little-endian, as .NET does", () => {
    expect(Buffer.from(guidToBytes("00112233-4455-6677-8899-aabbccddeeff")).toString("hex")).toBe(
      "33221100554477668899aabbccddeeff",
    );
  });

  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.uuid(), (guid) => {
        expect(guidFromBytes(guidToBytes(guid))).toBe(guid);
      }),
    );
  });

  it("are read in the forms that servers use, and nothing else", () => {
    for (const form of [POOL.toUpperCase(), `{${POOL}}`, `uuid:${POOL.toUpperCase()}`, ` ${POOL} `]) {
      expect(parseGuid(form)).toBe(POOL);
    }
    for (const form of ["", "uuid:", POOL.slice(1), `${POOL}0`, POOL.replace("7", "g")]) {
      expect(parseGuid(form)).toBeUndefined();
    }
    expect(() => guidToBytes("x")).toThrow("GUID");
  });
});

describe("messages", () => {
  it("have a header of 40 bytes, little-endian, and a byte order mark only towards the client", () => {
    const parts = { type: "PIPELINE_OUTPUT", runspacePoolId: POOL, pipelineId: PIPELINE, value: string("a") } as const;
    const toClient = encodeMessage({ ...parts, destination: "client" });
    expect(Buffer.from(toClient).toString("latin1")).toBe(
      Buffer.concat([
        Buffer.from("0100000004100400", "hex"),
        guidToBytes(POOL),
        guidToBytes(PIPELINE),
        Buffer.from("\uFEFF<S>a</S>"),
      ]).toString("latin1"),
    );
    const toServer = encodeMessage({ ...parts, destination: "server" });
    expect(Buffer.from(toServer.subarray(40)).toString()).toBe("<S>a</S>");
  });

  it.each(Object.keys(MESSAGE_TYPES) as MessageType[])("of type %s come back as they were", (type) => {
    const message = decodeMessage(
      encodeMessage({ destination: "server", type, runspacePoolId: POOL, value: string("é") }),
    );
    expect(message).toMatchObject({ destination: "server", type, runspacePoolId: POOL, pipelineId: undefined });
    expect(bodyOf(message)).toEqual(string("é"));
  });

  it("may have no body", () => {
    const bytes = encodeMessage({
      destination: "client",
      type: "END_OF_PIPELINE_INPUT",
      runspacePoolId: NIL_GUID,
      value: undefined,
    });
    expect(bytes).toHaveLength(40);
    expect(bodyOf(decodeMessage(bytes))).toEqual({ kind: "Nil" });
  });

  it("of a type that isn't known keep its number", () => {
    const bytes = encodeMessage({ destination: "client", type: "USER_EVENT", runspacePoolId: POOL, value: undefined });
    bytes[4] = 0xee;
    expect(decodeMessage(bytes)).toMatchObject({ type: undefined, typeNumber: 0x000210ee });
  });

  it("that are too short, or for nobody, are refused", () => {
    const bytes = encodeMessage({ destination: "client", type: "USER_EVENT", runspacePoolId: POOL, value: undefined });
    expect(() => decodeMessage(bytes.subarray(0, 39))).toThrow("39 bytes");
    bytes[0] = 3;
    expect(() => decodeMessage(bytes)).toThrow("to nobody");
  });
});
