"""An https endpoint for PowerShell Remoting that shares nothing with the project: WS-Management is read and written
here, PowerShell Remoting is psrpcore's.

The first line of standard input is a job, each further one a question, all JSON; each is answered by a line on standard
output. The end of standard input ends the server.
"""

import base64
import http.server
import json
import re
import ssl
import sys
import threading
import traceback
import uuid
import xml.etree.ElementTree as ET

from psrpcore_shell import NotThere, Shell

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "ps": "http://schemas.microsoft.com/powershell",
}
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/"
ANONYMOUS = NS["a"] + "/role/anonymous"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
DONE = SHELL + "CommandState/Done"
SIGNALS = (SHELL + "signal/Terminate", "powershell/signal/crtl_c")
OPERATIONS = {
    TRANSFER + "Create": "create",
    TRANSFER + "Delete": "delete",
    **{SHELL + name: name.lower() for name in ("Command", "Send", "Receive", "Signal")},
}
# The headers that this server reads: a mustUnderstand on any other would have to be refused.
UNDERSTOOD = {
    f"{{{NS[prefix]}}}{name}"
    for prefix, names in {
        "a": ("Action", "MessageID", "ReplyTo", "To"),
        "w": ("MaxEnvelopeSize", "OperationTimeout", "ResourceURI", "OptionSet", "SelectorSet", "Locale"),
        "p": ("DataLocale", "SessionId"),
    }.items()
    for name in names
}
# Around the streams of an answer; the rest of MaxEnvelopeSize is theirs.
ENVELOPE_BYTES = 4096

for prefix, namespace in NS.items():
    ET.register_namespace(prefix, namespace)


class Fault(Exception):
    def __init__(self, subcode, code, text):
        super().__init__(text)
        self.subcode = subcode
        self.code = code


def timed_out():
    return Fault("w:TimedOut", 2150858793, "The operation didn't end within OperationTimeout.")


def no_such_selector():
    return Fault("w:InvalidSelectors", 2150858843, "There is no such shell or command.")


class Server:
    def __init__(self, job):
        self.job = job
        self.settings = {"script": job.get("script", {}), "fragmentBytes": job.get("fragmentBytes", 32768)}
        for name in ("fragmentsPerReceive", "batched", "applicationPrivateData", "requestsKey", "withKey", "secrets"):
            self.settings[name] = job.get(name)
        self.lock = threading.Lock()
        self.shells = {}
        self.history = []
        self.complaints = []
        self.url = None

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)

    def report(self):
        with self.lock:
            complaints, shells = list(self.complaints), list(self.history)
        return {"complaints": complaints, "open": len(self.shells), "shells": [shell.report() for shell in shells]}

    def forget(self):
        """As after a restart of the web server: no shell is known any more, and what they ran is stopped."""
        with self.lock:
            shells, self.shells = list(self.shells.values()), {}
        for shell in shells:
            shell.delete()

    # One request.

    def answer(self, target, body, cookie):
        """The envelope that answers an envelope, whether it is a fault, and the cookie to set."""
        root = ET.fromstring(body)
        request = Request(self, target, root, len(body))
        try:
            request.check()
            if request.operation != "create" and cookie != self.cookie_of(request.shell_id):
                self.complain(f"A {request.operation} came without the cookie of its shell")
            answered = getattr(self, f"do_{request.operation}")(request)
            action = ("" if request.action is None else request.action) + "Response"
            set_cookie = self.cookie_of(answered.pop("shell")) if "shell" in answered else None
            return envelope(action, request.message_id, answered["body"]), False, set_cookie
        except (Fault, NotThere) as error:
            fault = no_such_selector() if isinstance(error, NotThere) else error
            return envelope(FAULT_ACTION, request.message_id, fault_body(fault)), True, None

    @staticmethod
    def cookie_of(shell_id):
        return f"X-BackEndCookie={shell_id}"

    def shell_of(self, request):
        with self.lock:
            shell = self.shells.get(request.shell_id)
        if shell is None:
            raise no_such_selector()
        return shell

    def do_create(self, request):
        wanted = request.body("rsp:Shell")
        shell_id = wanted.get("ShellId")
        first = wanted.find("ps:creationXml", NS)
        streams = [text(wanted, "rsp:InputStreams"), text(wanted, "rsp:OutputStreams")]
        request.expect("the streams' names", streams, ["stdin pr", "stdout"])
        request.expect("the option protocolversion", request.options.get("protocolversion"), ("2.3", "true"))
        shell = Shell(shell_id, self.settings, self.complain)
        shell.record["query"] = request.query
        with self.lock:
            self.shells[shell_id] = shell
            self.history.append(shell)
        shell.receive(base64.b64decode(first.text, validate=True), "stdin")
        request.expect("the name of the pool's shell", shell_id, str(shell.pool.runspace_pool_id).upper())
        created = ET.Element(tag("x:ResourceCreated"))
        add(created, "a:Address", self.url)
        parameters = add(created, "a:ReferenceParameters")
        add(parameters, "w:ResourceURI", self.job["resourceUri"])
        add(add(parameters, "w:SelectorSet"), "w:Selector", shell_id, Name="ShellId")
        described = ET.Element(tag("rsp:Shell"))
        for name, value in (("ShellId", shell_id), ("Owner", self.job["user"]), ("IdleTimeOut", "PT900S")):
            add(described, f"rsp:{name}", value)
        return {"body": [created, described], "shell": shell_id}

    def do_command(self, request):
        shell = self.shell_of(request)
        line = request.body("rsp:CommandLine")
        command_id = line.get("CommandId")
        request.expect("the command line", text(line, "rsp:Command"), "")
        run = shell.command(command_id, b"".join(base64_of(one) for one in line.findall("rsp:Arguments", NS)))
        run.record["requests"]["Command"] += 1
        response = ET.Element(tag("rsp:CommandResponse"))
        add(response, "rsp:CommandId", command_id)
        return {"body": [response]}

    def do_send(self, request):
        shell = self.shell_of(request)
        for stream in request.body("rsp:Send").findall("rsp:Stream", NS):
            command_id = stream.get("CommandId")
            if command_id is not None:
                shell.find(command_id).record["requests"]["Send"] += 1
            request.expect_among("the stream", stream.get("Name"), ("stdin", "pr"))
            shell.receive(base64_of(stream), stream.get("Name"), command_id)
        return {"body": [ET.Element(tag("rsp:SendResponse"))]}

    def do_receive(self, request):
        shell = self.shell_of(request)
        wanted = request.body("rsp:Receive/rsp:DesiredStream")
        request.expect("the stream", wanted.text, "stdout")
        command_id = wanted.get("CommandId")
        if command_id is not None:
            shell.find(command_id).record["requests"]["Receive"] += 1
        room = request.max_envelope_bytes - ENVELOPE_BYTES
        chunks, is_done = shell.take(command_id, room, request.timeout_seconds)
        if not chunks and not is_done:
            raise timed_out()
        names = {} if command_id is None else {"CommandId": command_id}
        response = ET.Element(tag("rsp:ReceiveResponse"))
        for chunk in chunks:
            add(response, "rsp:Stream", base64.b64encode(chunk).decode(), Name="stdout", **names)
        if is_done:
            add(add(response, "rsp:CommandState", None, State=DONE, **names), "rsp:ExitCode", "0")
        return {"body": [response]}

    def do_signal(self, request):
        signal = request.body("rsp:Signal")
        code = text(signal, "rsp:Code")
        request.expect_among("the signal", code, SIGNALS)
        self.shell_of(request).signal(signal.get("CommandId"), code)
        return {"body": [ET.Element(tag("rsp:SignalResponse"))]}

    def do_delete(self, request):
        shell = self.shell_of(request)
        with self.lock:
            del self.shells[request.shell_id]
        shell.delete()
        return {"body": []}


class Request:
    """An envelope, and whether it is what DSP0226 and MS-WSMV ask for."""

    def __init__(self, server, target, root, length):
        self.server = server
        self.path, _, self.query = target.partition("?")
        self.root = root
        self.length = length
        self.header = root.find("s:Header", NS)
        self.action = text(self.header, "a:Action")
        self.operation = OPERATIONS.get(self.action)
        self.message_id = text(self.header, "a:MessageID")
        self.shell_id = self.header.findtext("w:SelectorSet/w:Selector[@Name='ShellId']", None, NS)
        self.max_envelope_bytes = int(text(self.header, "w:MaxEnvelopeSize"))
        options = self.header.findall("w:OptionSet/w:Option", NS)
        self.options = {one.get("Name"): (one.text, (one.get("MustComply") or "").lower()) for one in options}
        duration = re.fullmatch(r"PT(\d+(?:\.\d+)?)S", text(self.header, "w:OperationTimeout"))
        self.timeout_seconds = 0 if duration is None else float(duration[1])

    def check(self):
        if self.operation is None:
            raise Fault("a:ActionNotSupported", 2150858770, f"There is no action {self.action}.")
        job = self.server.job
        self.expect("the root", self.root.tag, tag("s:Envelope"))
        self.expect("the path", self.path, job["path"])
        self.expect("a:To", text(self.header, "a:To"), self.server.url + ("?" + self.query if self.query else ""))
        self.expect("w:ResourceURI", text(self.header, "w:ResourceURI"), job["resourceUri"])
        self.expect("a:ReplyTo", self.header.findtext("a:ReplyTo/a:Address", None, NS), ANONYMOUS)
        self.expect("the timeout", self.timeout_seconds > 0, True)
        self.expect("a selector", self.shell_id is not None, self.operation != "create")
        for name in ("a:MessageID", "p:SessionId"):
            uuid.UUID(text(self.header, name).removeprefix("uuid:"))
        if self.length > min(self.max_envelope_bytes, 512_000):
            self.complain(f"takes {self.length} bytes and says that {self.max_envelope_bytes} are the most")
        for one in self.header:
            if one.get(tag("s:mustUnderstand")) in ("true", "1") and one.tag not in UNDERSTOOD:
                self.complain(f"has a header that must be understood: {one.tag}")

    def body(self, path):
        found = self.root.find(f"s:Body/{path}", NS)
        if found is None:
            raise Fault("w:SchemaValidationError", 2150858817, f"There is no {path}.")
        return found

    def expect(self, what, found, wanted):
        if found != wanted:
            self.complain(f"has {found!r} as {what}, instead of {wanted!r}")

    def expect_among(self, what, found, wanted):
        if found not in wanted:
            self.complain(f"has {found!r} as {what}, which is none of {wanted!r}")

    def complain(self, what):
        self.server.complain(f"A {self.operation} {what}")


def tag(name):
    prefix, local = name.split(":")
    return f"{{{NS[prefix]}}}{local}"


def text(parent, name):
    return (parent.findtext(name, None, NS) or "").strip()


def add(parent, name, content=None, **attributes):
    child = ET.SubElement(parent, tag(name), attributes)
    child.text = content
    return child


def base64_of(element):
    return base64.b64decode(element.text or "", validate=True)


def envelope(action, relates_to, body):
    root = ET.Element(tag("s:Envelope"))
    header = ET.SubElement(root, tag("s:Header"))
    for name, value in (("Action", action), ("MessageID", f"uuid:{uuid.uuid4()}"), ("To", ANONYMOUS)):
        add(header, f"a:{name}", value)
    add(header, "a:RelatesTo", relates_to)
    ET.SubElement(root, tag("s:Body")).extend(body)
    return ET.tostring(root)


def fault_body(fault):
    element = ET.Element(tag("s:Fault"))
    code = add(element, "s:Code")
    add(code, "s:Value", "s:Receiver" if fault.subcode == "w:TimedOut" else "s:Sender")
    # A prefix within a text: the serialiser doesn't see it, so its namespace is declared here.
    prefix = fault.subcode.split(":")[0]
    add(add(code, "s:Subcode"), "s:Value", fault.subcode).set(f"xmlns:{prefix}", NS[prefix])
    add(add(element, "s:Reason"), "s:Text", str(fault))
    wsman = add(add(element, "s:Detail"), "f:WSManFault", None, Code=str(fault.code), Machine="localhost")
    add(wsman, "f:Message", str(fault))
    return [element]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        server = self.server.wsman
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = base64.b64encode(f"{server.job['user']}:{server.job['password']}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {wanted}":
            self.reply(401, b"", {"WWW-Authenticate": 'Basic realm="PowerShell"'})
            return
        if self.headers.get_content_type() != "application/soap+xml":
            server.complain(f"A request is of the type {self.headers['Content-Type']}")
        try:
            answer, is_fault, cookie = server.answer(self.path, body, self.headers["Cookie"])
        except Exception:  # noqa: BLE001: the test must hear of it, whatever it is
            server.complain(traceback.format_exc())
            self.reply(500, b"", {})
            return
        # Exchange writes the path in another case than its clients do.
        headers = {} if cookie is None else {"Set-Cookie": f"{cookie}; path=/powershell; secure; HttpOnly"}
        if server.job.get("closesConnections"):
            headers["Connection"] = "close"
        self.reply(500 if is_fault else 200, answer, {"Content-Type": "application/soap+xml;charset=UTF-8", **headers})

    def reply(self, status, body, headers):
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # The client didn't wait for it.
            self.close_connection = True

    def log_message(self, *_):
        pass


class HttpServer(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    job = json.loads(sys.stdin.readline())
    wsman = Server(job)
    listener = HttpServer(("127.0.0.1", 0), Handler)
    listener.wsman = wsman
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(job["certificate"], job["key"])
    # The handshake is left to each connection's own thread.
    listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    wsman.url = f"https://127.0.0.1:{listener.server_port}{job['path']}"
    threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
    answer({"url": wsman.url})
    for line in sys.stdin:
        question = json.loads(line)
        if "script" in question:
            wsman.settings["script"] = question["script"]
        if question.get("forget"):
            wsman.forget()
        answer(wsman.report())
    listener.shutdown()


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


main()
