import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { packPfx } from "../../provider/certificate/packPfx";
import { readPemHere } from "../../provider/certificate/pem";
import { encodeClixml, encodeClixmlDocument } from "../../provider/remoting/clixml/encode";
import {
  boolean,
  bytes,
  type ClixmlValue,
  dictionary,
  enumValue,
  int32,
  int64,
  list,
  NIL,
  object,
  propertyBag,
  string,
  version,
} from "../../provider/remoting/clixml/types";
import { encodeErrorRecord, errorRecord } from "../../provider/remoting/psrp/errorRecord";
import { guidToBytes } from "../../provider/remoting/psrp/guid";
import { choicePromptParameters, encodeHostCall, encodeHostResponse } from "../../provider/remoting/psrp/hostCall";
import { encodeMessage, type MessageType } from "../../provider/remoting/psrp/message";
import {
  encodeCreatePipeline,
  encodeInformationalRecord,
  encodePipelineState,
  encodeProgress,
} from "../../provider/remoting/psrp/pipelineMessages";
import {
  encodeApplicationPrivateData,
  encodeInitRunspacePool,
  encodeKeyMessage,
  encodeRunspacePoolState,
  encodeSessionCapability,
  OUR_CAPABILITY,
} from "../../provider/remoting/psrp/poolMessages";
import {
  encodeCommand,
  encodeCreate,
  encodeDelete,
  encodeReceive,
  encodeSend,
  encodeSignal,
  type ShellRequestHeader,
} from "../../provider/remoting/wsman/requests";
import {
  encodeCommandResponse,
  encodeCreateResponse,
  encodeEmptyResponse,
  encodeFault,
  encodeReceiveResponse,
} from "../../provider/remoting/wsman/responses";
import { Secret } from "../../provider/secret";
import {
  serializedCertificate,
  type SerializedWish,
  signed,
  storedCertificate,
} from "../backends/remote/serializedCertificate";
import type { Random } from "./random";

/*
 * What inputs begin with: documents of our own encoders, and, where EXCHANGE_CAPTURES and EXCHANGE_PSRP_RECORDINGS name
 * their directories, what real servers sent.
 */

export const POOL = "76056a84-51dc-4f24-9262-ca2a55464b2b";
export const PIPELINE = "e888e1df-c962-41d6-befd-f2c82d0abcca";
/** The request that all responses answer. */
export const REQUEST = "f249dbe7-0e83-4f39-ae4a-28324cf61227";

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");

const record = encodeErrorRecord({
  ...errorRecord({
    message: "A special Rpc error occurs on server EX01: it was not found.",
    fullyQualifiedErrorId:
      "[Server=EX01,RequestId=d4b0f9a3-1111-2222-3333-444455556666] [FailureCategory=Cmdlet-X] 1A,Get-X",
    category: "InvalidOperation",
    activity: "Get-ExchangeCertificate",
  }),
  recommendedAction: "Do so.",
  exception: {
    typeNames: ["System.InvalidOperationException"],
    message: "outer",
    hresult: -2146233079,
    inner: { typeNames: ["System.Exception"], message: "inner", hresult: undefined, inner: undefined },
  },
});

const prompt = encodeHostCall(
  "PromptForChoice",
  choicePromptParameters({
    caption: "Confirm",
    message: "Overwrite the existing default SMTP certificate?",
    choices: ["&Yes", "Yes to &All", "&No", "No to A&ll"].map((label) => ({ label, helpMessage: "" })),
    defaultChoice: 0,
  }),
  7n,
);

const answer = encodeHostResponse(
  { callId: 7n, method: "PromptForChoice", methodNumber: 26, parameters: [], isVoid: false },
  { result: int32(2) },
);

const der = utf8("a certificate");
const wish: SerializedWish = {
  certData: storedCertificate([
    [2, utf8("key provider")],
    [11, Buffer.from("Microsoft Exchange\0", "utf16le")],
    [32, der],
  ]),
  services: 27,
  status: 1,
  rootCaType: 3,
  isSelfSigned: true,
  privateKeyExportable: false,
  identity: "ex01.contoso.com\\38F3DAA4F7A4A5ED2D6D2B8A9A8A2D1F3C0E4B5A",
  iisServiceNames: ["IIS://EX01/W3SVC/2", "IIS://EX01/W3SVC/1"],
};
const serialized = serializedCertificate(wish);

/** SerializationData of any certificate, signed or not. */
export function anySerializationData(random: Random): Uint8Array {
  const text = (): string =>
    String.fromCodePoint(...Array.from({ length: random.below(40) }, () => random.below(0xd800)));
  const made = serializedCertificate({
    certData: random.chance(3) ? utf8(text()) : wish.certData,
    services: random.pick([0, 27, 127, 128, -1, random.next() | 0]),
    status: random.below(12),
    rootCaType: random.below(8),
    isSelfSigned: random.chance(2),
    privateKeyExportable: random.chance(2),
    identity: random.chance(2) ? text() : wish.identity,
    iisServiceNames: Array.from({ length: random.below(4) }, () => random.pick([text(), "IIS://EX01/W3SVC/1", ""])),
  });
  return random.chance(3) ? signed(made) : made;
}

/** An object with it. */
export function anyCertificateObject(random: Random): Uint8Array {
  const value = object({
    adapted: new Map(random.chance(5) ? [] : [["RawData", bytes(der)]]),
    extended: new Map([["SerializationData", bytes(anySerializationData(random))]]),
  });
  return utf8(encodeClixml(value));
}

export const serializationData = (): Uint8Array[] => [
  serialized,
  signed(serialized),
  ...captured().flatMap((text) =>
    [...text.matchAll(/<BA N="SerializationData">([^<]+)</g)].map((match) => Buffer.from(match[1] ?? "", "base64")),
  ),
];

const certificates: readonly ClixmlValue[] = [
  object({
    adapted: new Map([["RawData", bytes(der)]]),
    extended: new Map([["SerializationData", bytes(serialized)]]),
  }),
  propertyBag({
    Thumbprint: string("38F3DAA4F7A4A5ED2D6D2B8A9A8A2D1F3C0E4B5A"),
    Services: enumValue("Microsoft.Exchange.AllowedServices", "IMAP, POP, IIS, SMTP", 27),
    IISServices: list([string("IIS://EX01/W3SVC/1"), propertyBag({ ServiceName: string("IIS://EX01/W3SVC/2") })]),
    Status: enumValue("Microsoft.Exchange.CertificateStatus", "Valid", 1),
    RootCAType: string("Registry"),
    FriendlyName: string("Mail"),
    HasPrivateKey: boolean(true),
    PrivateKeyExportable: boolean(false),
    Identity: string("ex01\\38F3"),
    RawData: bytes(der),
  }),
];

export const certificateObjects = (): Uint8Array[] => [
  ...certificates.map((value) => utf8(encodeClixml(value))),
  ...captured().map(utf8),
];

export const clixmlDocuments = (): Uint8Array[] => [
  utf8(encodeClixmlDocument([record, prompt, NIL, ...certificates])),
  utf8(encodeClixml(dictionary([["PSVersionTable", dictionary([["PSVersion", version("5.1.17763.1")]])]]))),
  utf8(
    '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><Db>1.5e3</Db><DT>2022-12-30T15:06:40.1Z</DT><C>5</C>' +
      "<U64>1</U64><TS>PT1S</TS><PR><AV>a</AV></PR><Obj><STK><S>_x000A_</S></STK></Obj><By>1</By><D>1.0</D></Objs>",
  ),
  ...certificateObjects(),
];

export const errorRecords = (): Uint8Array[] => [record, prompt, answer].map((value) => utf8(encodeClixml(value)));

type Body = readonly [MessageType, ClixmlValue];

const message = (destination: "client" | "server", pipelineId: string | undefined, [type, value]: Body): Uint8Array =>
  encodeMessage({ destination, type, runspacePoolId: POOL, pipelineId, value });

/** A modulus of 2048 bits with nothing behind it, and a session key that doesn't fit any key of ours. */
const publicKey = Buffer.concat([
  Buffer.from("0602000000a400005253413100080000010001", "hex"),
  Buffer.of(0),
  Buffer.alloc(256, 0xb5),
]);
const sessionKey = Buffer.concat([Buffer.from("010200001066000000a40000", "hex"), Buffer.alloc(256, 0x5a)]);

/** Messages of the pool, to the client. */
export const clientPoolMessages = (): Uint8Array[] => [
  ...(
    [
      ["SESSION_CAPABILITY", encodeSessionCapability(OUR_CAPABILITY)],
      ["APPLICATION_PRIVATE_DATA", encodeApplicationPrivateData([["a", int64(1n)]])],
      ["RUNSPACEPOOL_STATE", encodeRunspacePoolState("Opened")],
      [
        "RUNSPACEPOOL_STATE",
        encodeRunspacePoolState(
          "Broken",
          errorRecord({
            message: "Broken.",
            fullyQualifiedErrorId: "X",
            category: "ResourceUnavailable",
          }),
        ),
      ],
      ["PUBLIC_KEY_REQUEST", propertyBag({})],
      ["ENCRYPTED_SESSION_KEY", encodeKeyMessage("EncryptedSessionKey", sessionKey)],
      ["RUNSPACEPOOL_HOST_CALL", prompt],
      ["RUNSPACE_AVAILABILITY", propertyBag({ ci: int64(1n), SetMinMaxRunspacesResponse: boolean(true) })],
    ] satisfies Body[]
  ).map((body) => message("client", undefined, body)),
  ...recordedMessages().client,
];

/** Otherwise a recorded one would be refused for that alone. */
function ofOurPipeline(recordedMessage: Uint8Array): Uint8Array {
  const renamed = Uint8Array.from(recordedMessage);
  renamed.set(guidToBytes(PIPELINE), 24);
  return renamed;
}

/** Messages of a pipeline, to the client. */
export const clientPipelineMessages = (): Uint8Array[] => [
  ...(
    [
      ["PIPELINE_OUTPUT", certificates[0] ?? NIL],
      ["PIPELINE_OUTPUT", certificates[1] ?? NIL],
      ["ERROR_RECORD", record],
      ["WARNING_RECORD", encodeInformationalRecord("Warning", "Mind.")],
      ["DEBUG_RECORD", encodeInformationalRecord("Debug", "So.")],
      ["INFORMATION_RECORD", propertyBag({ MessageData: propertyBag({ Message: string("x") }) })],
      [
        "PROGRESS_RECORD",
        encodeProgress({ activity: "a", statusDescription: "b", percentComplete: 3, isCompleted: false }),
      ],
      ["PIPELINE_HOST_CALL", prompt],
      ["PIPELINE_STATE", encodePipelineState("Completed")],
      [
        "PIPELINE_STATE",
        encodePipelineState(
          "Failed",
          errorRecord({
            message: "No.",
            fullyQualifiedErrorId: "CommandNotFoundException",
            category: "ObjectNotFound",
          }),
        ),
      ],
    ] satisfies Body[]
  ).map((body) => message("client", PIPELINE, body)),
  ...recordedMessages().client.map(ofOurPipeline),
];

/** Messages to the server, of the pool and of a pipeline. */
export const serverMessages = (): Uint8Array[] => [
  ...(
    [
      ["SESSION_CAPABILITY", encodeSessionCapability(OUR_CAPABILITY)],
      ["INIT_RUNSPACEPOOL", encodeInitRunspacePool("prompts", 2)],
      ["PUBLIC_KEY", encodeKeyMessage("PublicKey", publicKey)],
      ["CREATE_PIPELINE", encodeCreatePipeline([
        { name: "Get-ExchangeCertificate", parameters: { Server: "ex01.contoso.com" } },
        { name: "Select-Object", parameters: { Property: ["Thumbprint", "Services"] } },
      ])],
      ["CREATE_PIPELINE", encodeCreatePipeline([
        {
          name: "Import-ExchangeCertificate",
          parameters: {
            FileData: Uint8Array.of(1, 2, 3), Password: { kind: "SS", value: new Uint8Array(16) },
            PrivateKeyExportable: true, FriendlyName: null, ErrorAction: "Stop",
          },
        },
      ])],
      ["PIPELINE_INPUT", string("x")],
      ["END_OF_PIPELINE_INPUT", NIL],
      ["PIPELINE_HOST_RESPONSE", answer],
      ["RUNSPACEPOOL_HOST_RESPONSE", answer],
    ] satisfies Body[]
  ).map((body) => message("server", PIPELINE, body)),
  ...recordedMessages().server,
]; // prettier-ignore

const header: ShellRequestHeader = {
  to: "https://ex01.contoso.com/PowerShell/?a=1&b=2",
  resourceUri: "http://schemas.microsoft.com/powershell/Microsoft.Exchange",
  sessionId: POOL,
  messageId: REQUEST,
  operationTimeoutSeconds: 20,
  maxEnvelopeBytes: 153_600,
  shellId: POOL,
};

export const soapRequests = (): Uint8Array[] =>
  [
    encodeCreate(header, { runspacePoolId: POOL, creationXml: utf8("abc"), idleTimeoutSeconds: 60 }),
    encodeCommand(header, { pipelineId: PIPELINE, firstFragments: utf8("abc") }),
    encodeSend(header, { pipelineId: PIPELINE, stream: "pr", fragments: utf8("abc") }),
    encodeReceive(header, { pipelineId: PIPELINE }),
    encodeSignal(header, { pipelineId: PIPELINE, signal: "stop" }),
    encodeDelete(header),
    ...recorded().map(({ request }) => request),
  ].map(utf8);

const related = { messageId: POOL, relatesTo: `uuid:${REQUEST.toUpperCase()}` };

export const soapResponses = (): Uint8Array[] =>
  [
    encodeCreateResponse(related, { ...header, owner: "administrator", idleTimeoutSeconds: 900 }),
    encodeCommandResponse(related, PIPELINE),
    encodeReceiveResponse(related, {
      commandId: PIPELINE,
      fragments: [utf8("abc"), utf8("def")],
      commandState: "Done",
    }),
    encodeEmptyResponse(related, "Send"),
    encodeEmptyResponse(related, "Signal"),
    encodeEmptyResponse(related, "Delete"),
    encodeFault(related, {
      role: "Receiver",
      subcode: "w:TimedOut",
      code: 0x80338029,
      message: "Too slow. <&>",
      detail: "Limit",
    }),
    ...recorded().map(({ response }) => response.replace(/(<a:RelatesTo>)[^<]*/, `$1${related.relatesTo}`)),
  ].map(utf8);

function directoryOf(variable: string, extension: string): readonly string[] {
  const directory = process.env[variable] ?? "";
  if (directory === "") return [];
  const files = readdirSync(directory).filter((file) => file.endsWith(extension));
  return files.sort().map((file) => readFileSync(join(directory, file), "utf8"));
}

function captured(): readonly string[] {
  return directoryOf("EXCHANGE_CAPTURES", ".xml");
}

interface Exchange {
  readonly request: string;
  readonly response: string;
}

function recorded(): readonly Exchange[] {
  return directoryOf("EXCHANGE_PSRP_RECORDINGS", ".yml").flatMap(
    (text) => (parse(text) as { messages: readonly Exchange[] }).messages,
  );
}

/** What the recordings' envelopes carry, where one fragment is a whole message. */
function recordedMessages(): { readonly client: Uint8Array[]; readonly server: Uint8Array[] } {
  const wholeMessages = (text: string): Uint8Array[] =>
    [...text.matchAll(/>([A-Za-z0-9+/=]{40,})</g)]
      .map((match) => Buffer.from(match[1] ?? "", "base64"))
      .filter(
        (fragment) => fragment.length > 61 && fragment[16] === 3 && fragment.readUInt32BE(17) === fragment.length - 21,
      )
      .map((fragment) => fragment.subarray(21));
  return {
    client: recorded().flatMap(({ response }) => wholeMessages(response)),
    server: recorded().flatMap(({ request }) => wholeMessages(request)),
  };
}

const FIXTURES = join(__dirname, "..", "certificate", "fixtures", "tools");
export const FILE_PASSWORD = "exchange-test";

const fixture = (name: string): Uint8Array => readFileSync(join(FIXTURES, name));

const MATERIAL = (): Parameters<typeof packPfx>[0] =>
  readPemHere({ certificate: fixture("mail.pem"), privateKey: new Secret(fixture("mail.key")) });

export const pfxFiles = (): Uint8Array[] => [
  packPfx(MATERIAL(), new Secret(FILE_PASSWORD)).reveal(),
  ...["openssl-plain.pfx", "openssl-2des.pfx", "openssl-rc2-128.pfx", "openssl-rc4.pfx"].map(fixture),
  ...["openssl-legacy.pfx", "openssl-default.pfx"].map(fixture),
];

export const pemFiles = (): Uint8Array[] => {
  const key = fixture("mail.key");
  const both = (certificate: Uint8Array): Uint8Array => Buffer.concat([certificate, key]);
  return [
    ...["mail.pem", "openssl-text.pem", "openssl-trusted.pem", "openssl.p7b"].map(fixture).map(both),
    fixture("openssl-bag-attributes.pem"),
    Buffer.from(`\uFEFF${Buffer.from(both(fixture("mail.pem"))).toString()}`, "utf16le"),
    utf8(Buffer.from(both(fixture("mail.pem"))).toString("base64")),
  ];
};

/** Whatever tools write. */
export const anyFiles = (): Uint8Array[] => [
  ...readdirSync(FIXTURES).map(fixture),
  ...["<html>sign in</html>", "version https://git-lfs.github.com/spec/v1", "/etc/mail.pfx", "$(PFX)", "{}"].map(utf8),
];
