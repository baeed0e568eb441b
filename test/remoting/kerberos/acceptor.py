"""A front end with Kerberos: it lets users in, opens encrypted bodies, and hands the clear SOAP to another endpoint.

As IIS does, it authenticates connections: what one request proved holds for all that follow on the same one. The
Kerberos in it is pyspnego's, none of ours. Standard input: one line of JSON with the settings; then, any number of
times, a line with changes of its behaviour. When standard input ends, so does this. Standard output: a line of JSON for
each thing that happened.
"""

import base64
import http.client
import http.server
import json
import re
import socket
import ssl
import struct
import sys
import threading
import urllib.parse

import spnego
import spnego.channel_bindings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

SOAP = "application/soap+xml;charset=UTF-8"
PROTOCOLS = {
    "kerberos": "application/HTTP-Kerberos-session-encrypted",
    "negotiate": "application/HTTP-SPNEGO-session-encrypted",
}
# Not for the other side of a front end.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-type", "date", "server"}
ENCRYPTED_BODY = re.compile(
    rb"\A--\s?Encrypted Boundary\r\n"
    rb"\s*Content-Type:\s*(?P<protocol>[^\r\n]+)\r\n"
    rb"\s*OriginalContent:\s*type=[^\r\n]*;Length=(?P<length>\d+)\r\n"
    rb"--\s?Encrypted Boundary\r\n"
    rb"\s*Content-Type:\s*application/octet-stream\r\n"
    rb"(?P<message>.*)"
    rb"--\s?Encrypted Boundary--(\r\n)?\Z",
    re.DOTALL,
)

output_lock = threading.Lock()


def tell(**happening):
    with output_lock:
        print(json.dumps(happening), flush=True)


class Refusal(Exception):
    """A body that isn't taken; the text says why."""


class FrontEnd(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, settings):
        super().__init__(("127.0.0.1", settings.get("port", 0)), Connection)
        self.settings = settings
        self.behaviour = settings["behaviour"]
        self.tls = None
        self.bindings = None
        if "tls" in settings:
            self.tls = tls_context(settings["tls"])
            if settings["tls"].get("channelBinding"):
                self.bindings = channel_bindings(settings["tls"].get("boundTo") or settings["tls"]["certificate"])

    def finish_request(self, request, client_address):
        # In the connection's own thread: one that never shakes hands would hold up all others.
        if self.tls is not None:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError) as error:
                tell(event="handshake", error=str(error))
                return
        super().finish_request(request, client_address)
        if self.tls is not None:
            request.close()

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)


def tls_context(tls):
    # The ssl module takes certificates from files only; this is one that has no name.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with socket_file((tls["certificate"] + "\n" + tls["privateKey"]).encode()) as name:
        context.load_cert_chain(name)
    return context


class socket_file:
    """The bytes as a file that exists in this process alone."""

    def __init__(self, content):
        import os

        self.os = os
        self.descriptor = os.memfd_create("identity")
        os.write(self.descriptor, content)

    def __enter__(self):
        return "/proc/self/fd/%d" % self.descriptor

    def __exit__(self, *_):
        self.os.close(self.descriptor)


def channel_bindings(pem):
    """RFC 5929, tls-server-end-point."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate.public_bytes(serialization.Encoding.DER))
    data = b"tls-server-end-point:" + digest.finalize()
    return spnego.channel_bindings.GssChannelBindings(application_data=data)


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A client that has gone away without a word.
    timeout = 600

    def setup(self):
        super().setup()
        self.context = None
        self.scheme = None
        self.user = None
        self.served = 0
        self.upstream = None
        self.last_sealed = None

    def finish(self):
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    @property
    def behaviour(self):
        return self.server.behaviour

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_encrypted = self.headers.get_content_type() == "multipart/encrypted"
        tell(
            event="request",
            path=self.path,
            contentType=self.headers.get("Content-Type"),
            bytes=len(body),
            encrypted=is_encrypted,
            port=self.client_address[1],
        )
        own = self.authenticate()
        if own is None:
            return
        limit = self.behaviour.get("forgetAfter")
        try:
            if body == b"":
                # As WinRM answers: it was about the authentication only.
                self.answer(200, own, "text/plain", b"")
                return
            clear = self.opened(body) if is_encrypted else self.taken(body)
        except Refusal as refusal:
            tell(event="refused", why=str(refusal), status=400)
            self.answer(400, own, "text/plain", b"")
            return
        status, headers, content_type, answer = self.forward(clear)
        self.served += 1
        if is_encrypted and answer != b"" and content_type.startswith("application/soap+xml"):
            content_type, answer = self.sealed(answer, content_type)
        self.answer(status, own + headers, content_type, answer)
        if limit is not None and self.served >= limit:
            self.forget()

    do_GET = do_POST

    # Authentication

    def authenticate(self):
        """The headers of an answer to somebody who is let in; None when an answer was given already."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if token == "":
            return [] if self.user is not None else self.challenge()
        scheme = scheme.lower()
        if scheme not in PROTOCOLS or scheme not in [one.lower() for one in self.behaviour["challenges"]]:
            tell(event="refused", why="scheme %s" % scheme, status=401)
            return self.challenge()
        if self.context is None or self.context.complete:
            self.forget()
            self.scheme = scheme
        try:
            if self.context is None:
                self.context = spnego.server(protocol=scheme, channel_bindings=self.server.bindings)
            reply = self.context.step(base64.b64decode(token))
        except Exception as error:  # Whatever is wrong with a token: the client isn't let in.
            # python-gssapi keeps an error for itself when there is also a token that tells the client of it.
            kept = getattr(getattr(self.context, "_context", None), "_last_err", None)
            tell(event="refused", why=str(kept or error), status=401)
            self.forget()
            return self.challenge()
        reply = base64.b64encode(reply or b"").decode()
        if not self.context.complete:
            return self.challenge("%s %s" % (scheme.capitalize(), reply))
        self.user = self.context.client_principal
        tell(event="authenticated", user=self.user, scheme=scheme, port=self.client_address[1])
        mutual = self.behaviour["mutual"]
        if mutual == "none" or reply == "":
            return []
        if mutual == "wrong":
            reply = base64.b64encode(b"\x60\x03\x06\x01\x00").decode()
        return [("WWW-Authenticate", "%s %s" % (scheme.capitalize(), reply))]

    def forget(self):
        self.context = None
        self.user = None
        self.served = 0

    def challenge(self, continued=None):
        challenges = self.behaviour["challenges"] if continued is None else [continued]
        self.answer(401, [("WWW-Authenticate", one) for one in challenges], "text/plain", b"")
        return None

    # Bodies: MS-WSMV 2.2.9.1

    def taken(self, body):
        if self.behaviour["bodies"] == "encrypted":
            raise Refusal("a clear body")
        return body

    def opened(self, body):
        if self.behaviour["bodies"] == "plain":
            raise Refusal("an encrypted body")
        expected = PROTOCOLS[self.scheme]
        if self.headers.get_param("protocol") != expected or self.headers.get_param("boundary") != "Encrypted Boundary":
            raise Refusal("the media type %s" % self.headers["Content-Type"])
        parts = ENCRYPTED_BODY.match(body)
        if parts is None:
            raise Refusal("a body that isn't two parts")
        if parts["protocol"].decode() != expected:
            raise Refusal("the protocol %s" % parts["protocol"].decode())
        message = parts["message"]
        (length,) = struct.unpack_from("<I", message)
        try:
            clear = self.context.unwrap_winrm(message[4 : 4 + length], message[4 + length :])
        except Exception as error:
            raise Refusal("a body that can't be opened: %s" % error)
        if len(clear) != int(parts["length"]):
            raise Refusal("Length=%s with %d bytes" % (parts["length"].decode(), len(clear)))
        tell(event="opened", bytes=len(clear), tokenId=message[4:6].hex(), signature=length)
        return clear

    def sealed(self, clear, content_type):
        fault = self.behaviour["answers"]
        if fault == "clear":
            return content_type, clear
        wrapped = self.context.wrap_winrm(clear)
        message = struct.pack("<I", len(wrapped.header)) + wrapped.header + wrapped.data
        if fault == "corrupt":
            message = message[:-1] + bytes([message[-1] ^ 1])
        if fault == "replayed" and self.last_sealed is not None:
            message, clear = self.last_sealed
        self.last_sealed = (message, clear)
        length = len(clear) + wrapped.padding_length + (1 if fault == "wrongLength" else 0)
        # Exchange's line has a blank that WinRM's hasn't.
        boundary = ("-- " if self.behaviour["boundary"] == "exchange" else "--") + "Encrypted Boundary"
        protocol = PROTOCOLS[self.scheme]
        head = [
            boundary,
            "\tContent-Type: %s" % protocol,
            "\tOriginalContent: type=%s;Length=%d" % (SOAP, length),
            boundary,
            "\tContent-Type: application/octet-stream",
            "",
        ]
        media_type = 'multipart/encrypted;protocol="%s";boundary="Encrypted Boundary"' % protocol
        return media_type, "\r\n".join(head).encode() + message + ("%s--\r\n" % boundary).encode()

    # The other side

    def forward(self, clear):
        target = urllib.parse.urlsplit(self.server.settings["target"])
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=600)
        headers = {"Content-Type": SOAP, "Accept-Encoding": "identity", "Host": self.headers.get("Host", "localhost")}
        for name in ("Cookie", "User-Agent"):
            if name in self.headers:
                headers[name] = self.headers[name]
        credentials = self.server.settings.get("credentials")
        if credentials is not None:
            pair = "%s:%s" % (credentials["user"], credentials["password"])
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        self.upstream.request("POST", self.path, clear, headers)
        response = self.upstream.getresponse()
        answer = response.read()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP]
        return response.status, kept, response.getheader("Content-Type", ""), answer

    def answer(self, status, headers, content_type, body):
        tell(event="answer", status=status, encrypted=content_type.startswith("multipart/encrypted"), bytes=len(body))
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if body != b"":
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    server = FrontEnd(json.loads(sys.stdin.readline()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tell(event="listening", port=server.server_address[1])
    for line in sys.stdin:
        server.behaviour = {**server.behaviour, **json.loads(line)}
        tell(event="behaving")


main()
