// Renews the certificate in tls/ when fewer than ACME_DAYS are left of it. Run it before `pulumi up`, every day.
import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import acme from "acme-client";
import * as challenge from "./challenge.mjs";

const names = (process.env["ACME_NAMES"] ?? "mail.contoso.com autodiscover.contoso.com").split(" ");
const days = Number(process.env["ACME_DAYS"] ?? 20);

function daysLeft() {
  try {
    const { validTo } = new X509Certificate(readFileSync("tls/cert.pem"));
    return Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
  } catch {
    return -1; // There is none yet.
  }
}

if (daysLeft() >= days) {
  console.log(`${daysLeft()} days are left: nothing to do.`);
} else {
  const directoryUrl = process.env["ACME_DIRECTORY"] ?? acme.directory.letsencrypt.production;
  const client = new acme.Client({ directoryUrl, accountKey: await acme.crypto.createPrivateKey() });
  const [key, csr] = await acme.crypto.createCsr({ altNames: names }, await acme.crypto.createPrivateRsaKey(2048));
  const chain = await client.auto({
    csr,
    termsOfServiceAgreed: true,
    challengePriority: ["http-01"],
    // The authority looks from outside; from here the names may lead elsewhere.
    skipChallengeVerification: true,
    challengeCreateFn: (_authorization, { token }, answer) => challenge.put(token, answer),
    challengeRemoveFn: (_authorization, { token }) => challenge.remove(token),
  });
  const [certificate, ...issuers] = acme.crypto.splitPemChain(chain);
  // Another folder, and then its name: a program never sees a certificate without its key.
  mkdirSync("tls.new", { recursive: true });
  writeFileSync("tls.new/cert.pem", certificate);
  writeFileSync("tls.new/chain.pem", issuers.join("\n"));
  writeFileSync("tls.new/key.pem", key, { mode: 0o600 });
  rmSync("tls", { recursive: true, force: true });
  renameSync("tls.new", "tls");
  console.log(`Renewed: ${daysLeft()} days are left.`);
}
