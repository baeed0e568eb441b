import { randomBytes, X509Certificate } from "node:crypto";
import { connect, createServer, type Server } from "node:tls";
import { makeEndpointCertificate } from "../../../../provider/backends/simulator/endpoint/tlsCertificate";

const made = makeEndpointCertificate(["ex01.contoso.com", "localhost", "127.0.0.1", "::1", "2001:db8::7:1"], {
  now: new Date(),
  randomBytes,
});

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer({ cert: made.certificate, key: made.privateKey.reveal() }, (socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => {
  server.close();
});

/** Whether a client that trusts that authority takes the server for one of that name. */
function trust(name: string, ca: string): Promise<string> {
  return new Promise((resolve) => {
    // Node checks the name against `host` only; the connection is made to where the server is.
    const lookup = (_host: string, _options: unknown, done: (error: null, addresses: object[]) => void) => {
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    const isName = !/^[\d.]+$|:/.test(name);
    const where = isName ? { host: name, lookup: lookup as never } : { host: "127.0.0.1" };
    const socket = connect({ ...where, port, ca, ...(isName && { servername: name }) }, () => {
      socket.destroy();
      resolve("trusted");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
  });
}

describe("a certificate made on the spot", () => {
  it.each(["ex01.contoso.com", "localhost", "127.0.0.1"])(
    "is good for %s to who trusts its authority",
    async (name) => {
      expect(await trust(name, made.authority)).toBe("trusted");
    },
  );

  it("is good for no other name", async () => {
    expect(await trust("ex02.contoso.com", made.authority)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("is good to nobody else", async () => {
    const other = makeEndpointCertificate(["localhost"], { now: new Date(), randomBytes });
    expect(await trust("localhost", other.authority)).not.toBe("trusted");
  });

  it("holds addresses of either kind", () => {
    const { subjectAltName } = new X509Certificate(made.certificate);
    expect(subjectAltName).toBe(
      "DNS:ex01.contoso.com, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, " +
        "IP Address:2001:DB8:0:0:0:0:7:1",
    );
  });
});
