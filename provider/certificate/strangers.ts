import type { Stranger } from "./recognise";

interface StrangerText {
  /** Completes "it is …" or "it …" when it has a verb of its own. */
  readonly is: string;
  /** What to do, a sentence of its own. */
  readonly remedy: string;
}

const TEXTS: Readonly<Record<Stranger, StrangerText>> = {
  empty: { is: "it is empty", remedy: "Give the text or file itself." },
  keystore: {
    is: "it is a Java keystore (JKS)",
    remedy:
      "Convert it: keytool -importkeystore -srckeystore FILE -destkeystore mail.pfx -deststoretype PKCS12, and give mail.pfx as pfxFile.",
  },
  request: {
    is: "it is a certificate request (CSR), not the certificate",
    remedy:
      "Give the certificate that the CA issued for it; openssl req -in FILE -noout -subject shows what was asked for.",
  },
  revocationList: {
    is: "it is a revocation list (CRL), not a certificate",
    remedy: "Give the certificate itself; openssl crl -in FILE -noout -issuer shows whose list it is.",
  },
  opensshKey: {
    is: "it is an OpenSSH private key",
    remedy: 'Convert a copy of it: ssh-keygen -p -N "" -m PKCS8 -f COPY.',
  },
  puttyKey: {
    is: "it is a PuTTY private key",
    remedy: 'Convert it: puttygen FILE -O private-openssh -o key, then ssh-keygen -p -N "" -m PKCS8 -f key.',
  },
  sshPublicKey: {
    is: "it is an SSH public key",
    remedy: "Give the certificate that the CA issued, and the private key of its request.",
  },
  pgp: {
    is: "it is OpenPGP data (GnuPG)",
    remedy: "Decrypt it first: gpg --decrypt --output mail.pfx FILE. A PGP key itself is of no use to a server.",
  },
  encryptedKey: {
    is: "the private key is encrypted with a passphrase",
    remedy: "Decrypt it first: openssl pkey -in FILE -out key.pem. Or give a PFX with its password.",
  },
  publicKey: {
    is: "it is a public key alone",
    remedy: "Give the certificate (-----BEGIN CERTIFICATE-----), and the private key where a key is asked for.",
  },
  encryptedMessage: {
    is: "it is a PKCS#7 file that holds no certificate",
    remedy: "Give the certificate itself; openssl pkcs7 -in FILE -print_certs shows what is in such a file.",
  },
  html: {
    is: "it is a web page, such as a server sends in the place of the file",
    remedy:
      "Open the address in a browser to see what it says, and fetch the file again: curl --fail --location --output FILE URL.",
  },
  xml: { is: "it is XML", remedy: "Give the certificate as PEM, DER or PFX." },
  json: {
    is: "it is JSON",
    remedy: "Give the value of the field that holds the certificate, not the whole answer: jq -r .FIELD FILE.",
  },
  gitLfsPointer: {
    is: "it is a pointer of Git LFS, not the file itself",
    remedy: "Fetch the file: git lfs pull.",
  },
  path: {
    is: "it is a path or an address, not the text itself",
    remedy: 'Give the contents of the file: fs.readFileSync(PATH, "utf8").',
  },
  placeholder: {
    is: "it is a placeholder that nothing was put in for",
    remedy: "Set the variable where the program runs.",
  },
  zip: { is: "it is a ZIP archive", remedy: "Unpack it: unzip FILE, and give the file that is in it." },
  gzip: { is: "it is compressed (gzip)", remedy: "Unpack it: gunzip FILE, or tar xzf FILE." },
  damagedBlock: {
    is: "what stands between its BEGIN and END lines is damaged",
    remedy: "Copy it again, whole.",
  },
  cutOff: {
    is: "one of its BEGIN and END lines is missing: it was cut off",
    remedy: "Give all of it, from the first line to the last.",
  },
  damagedDer: {
    is: "it begins like a certificate, a key or a PFX, and isn't one, or not all of it",
    remedy: "Copy or export the file again.",
  },
  unknown: {
    is: "it is neither PEM, DER, PKCS#7, PFX nor base64 of these",
    remedy: 'Give the text with its "-----BEGIN …-----" and "-----END …-----" lines, or the file itself.',
  },
};

/** "it is a Java keystore (JKS). Convert it: …" */
export function describeStranger(stranger: Stranger): string {
  const { is, remedy } = TEXTS[stranger];
  return `${is}. ${remedy}`;
}
