import { X509Certificate } from "node:crypto";

import { readAuthorities } from "../../provider/certificate/readAuthorities";
import { threadsStarted } from "../../provider/certificate/thread";
import { makeTestAuthority } from "./testCertificates";

const authority = makeTestAuthority();
const pem = new X509Certificate(authority.der).toString();

it("reads a file of authorities in a thread of its own", async () => {
  const before = threadsStarted;
  await expect(readAuthorities(Buffer.from(pem))).resolves.toEqual({ pem });
  expect(threadsStarted).toBeGreaterThan(before);
});

it("tells what a file is that is none", async () => {
  await expect(readAuthorities(Buffer.from("<html>sign in</html>"))).resolves.toEqual({
    problem: expect.stringContaining("web page") as string,
  });
});

it("ends when the signal does", async () => {
  const end = new AbortController();
  const reading = readAuthorities(Buffer.from(pem.repeat(1000)), end.signal);
  end.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
});
