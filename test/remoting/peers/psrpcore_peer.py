"""psrpcore as a client of the endpoint: its state machine decides what is said, pypsrp's WS-Man layer carries it."""

import base64
import xml.etree.ElementTree as ET

import peer
import psrpcore
from psrpcore.types import HostInfo, HostMethodIdentifier, PSInvocationState, PSSecureString, RunspacePoolState
from pypsrp.shell import SignalCode, WinRS
from pypsrp.wsman import OptionSet, WSMan

RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
FRAGMENT_BYTES = 8192


class Session:
    """A pool, the shell that carries it, and everything that was said."""

    def __init__(self, job):
        self.pool = psrpcore.ClientRunspacePool(
            host=HostInfo(IsHostNull=False, IsHostUINull=False, IsHostRawUINull=True, UseRunspaceHost=False)
        )
        wsman = WSMan(
            job["host"],
            port=job["port"],
            ssl=False,
            auth="basic",
            encryption="never",
            username=job["user"],
            password=job["password"],
            path="powershell/",
        )
        identifier = str(self.pool.runspace_pool_id).upper()
        self.shell = WinRS(wsman, RESOURCE_URI, identifier, input_streams="stdin pr", output_streams="stdout")
        self.answer = job.get("choice")
        self.seen = []

    def __enter__(self):
        self.pool.open()
        options = OptionSet()
        options.add_option("protocolversion", "2.3", {"MustComply": "true"})
        creation = ET.Element("creationXml", xmlns="http://schemas.microsoft.com/powershell")
        creation.text = base64.b64encode(self.pool.data_to_send(FRAGMENT_BYTES).data).decode()
        self.shell.open(options, creation)
        while self.pool.state != RunspacePoolState.Opened:
            self.receive()
        return self

    def __exit__(self, *_):
        self.shell.close()

    def receive(self, command_id=None):
        """One Receive, and what comes of it."""
        _, _, streams = self.shell.receive("stdout", command_id=command_id)
        pipeline_id = None if command_id is None else next(iter(self.pool.pipeline_table))
        payload = psrpcore.PSRPPayload(streams["stdout"], psrpcore.StreamType.default, pipeline_id)
        self.pool.receive_data(payload)
        while (event := self.pool.next_event()) is not None:
            self.seen.append(event)
            if isinstance(event, psrpcore.PipelineHostCallEvent):
                self.respond(event)

    def respond(self, event):
        """Answers a question with choices, and refuses to go on with anything else."""
        assert event.method_identifier == HostMethodIdentifier.PromptForChoice, event
        pipeline = self.pool.pipeline_table[event.pipeline_id]
        psrpcore.ClientHostResponder(pipeline).prompt_for_choice(event.ci, self.answer)
        self.send()

    def send(self):
        while (payload := self.pool.data_to_send(FRAGMENT_BYTES)) is not None:
            stream = "pr" if payload.stream_type == psrpcore.StreamType.prompt_response else "stdin"
            command_id = None if payload.pipeline_id is None else str(payload.pipeline_id).upper()
            self.shell.send(stream, payload.data, command_id=command_id)

    def exchange_keys(self):
        self.pool.exchange_key()
        self.send()
        while not any(isinstance(event, psrpcore.EncryptedSessionKeyEvent) for event in self.seen):
            self.receive()

    def run(self, name, parameters):
        pipeline = psrpcore.ClientPowerShell(self.pool)
        pipeline.add_command(name)
        pipeline.add_parameters(**parameters)
        pipeline.start()
        command_id = str(pipeline.pipeline_id).upper()
        first = base64.b64encode(self.pool.data_to_send(FRAGMENT_BYTES).data).decode()
        self.shell.command("", arguments=[first], command_id=command_id)
        self.send()
        while pipeline.state == PSInvocationState.Running:
            self.receive(command_id)
        self.shell.signal(SignalCode.TERMINATE, command_id)
        pipeline.close()
        return pipeline.state.name


def read(job):
    """Certificates of a server, and the kinds of messages that brought them."""
    with Session(job) as session:
        state = session.run("Get-ExchangeCertificate", job.get("parameters", {}))
        return {"state": state, "events": [type(event).__name__ for event in session.seen]}


def import_and_enable(job):
    """Import with a secure string, then enable with a question."""
    with Session(job) as session:
        session.exchange_keys()
        pfx = {"FileData": base64.b64decode(job["pfx"]), "Password": PSSecureString(job["pfxPassword"])}
        imported = session.run("Import-ExchangeCertificate", pfx)
        enabled = session.run("Enable-ExchangeCertificate", job["enable"])
        questions = [
            event.method_parameters[1]
            for event in session.seen
            if isinstance(event, psrpcore.PipelineHostCallEvent)
        ]
        errors = [str(event.error) for event in session.seen if isinstance(event, psrpcore.ErrorRecordEvent)]
        return {"states": [imported, enabled], "questions": questions, "errors": errors}


peer.run({"read": read, "importAndEnable": import_and_enable})
