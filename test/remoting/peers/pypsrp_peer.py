"""pypsrp as a client of the endpoint. It keeps a session open by cookies, so its path is written as the cookie's is."""

import base64
import threading

import peer
from pypsrp.complex_objects import ObjectMeta
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan


class AskedUi(PSHostUserInterface):
    """Answers every question with the same choice, and remembers it."""

    def __init__(self, choice):
        super().__init__()
        self.choice = choice
        self.questions = []

    def PromptForChoice(self, runspace, pipeline, caption, message, choices, default_choice):
        labels = [choice.extended_properties["label"] for choice in choices]
        self.questions.append({"caption": caption, "message": message, "labels": labels, "default": default_choice})
        return self.choice


def connect(job):
    ssl = job.get("caFile") is not None
    return WSMan(
        job["host"],
        port=job["port"],
        ssl=ssl,
        auth="basic",
        encryption="auto" if ssl else "never",
        username=job["user"],
        password=job["password"],
        path=job.get("path", "powershell/"),
        cert_validation=job.get("caFile") or True,
        operation_timeout=job.get("operationTimeout", 20),
    )


def open_pool(job, host=None):
    return RunspacePool(connect(job), configuration_name=job.get("configuration", "Microsoft.Exchange"), host=host)


def cmdlet(pool, name, **parameters):
    shell = PowerShell(pool)
    shell.add_cmdlet(name)
    shell.add_parameters(parameters)
    return shell


def outcome(shell, output):
    return {
        "state": shell.state,
        "output": [
            {
                "types": item.types,
                "adapted": {key: peer.text(value) for key, value in item.adapted_properties.items()},
                "extended": {key: peer.text(value) for key, value in item.extended_properties.items()},
            }
            for item in output
        ],
        "warnings": [str(warning) for warning in shell.streams.warning],
        "errors": [
            {
                "message": str(error),
                "id": error.fq_error,
                "category": error.category,
                "reason": error.reason,
                "activity": error.activity,
            }
            for error in shell.streams.error
        ],
    }


def invoke(shell):
    return outcome(shell, shell.invoke())


def run_cmdlet(job):
    """One cmdlet, or one with Select-Object behind it."""
    with open_pool(job) as pool:
        shell = cmdlet(pool, job["cmdlet"], **job.get("parameters", {}))
        if "select" in job:
            shell.add_cmdlet("Select-Object").add_parameter("Property", job["select"])
        return invoke(shell)


def run_script(job):
    with open_pool(job) as pool:
        shell = PowerShell(pool)
        shell.add_script(job["script"])
        return invoke(shell)


def enable(job):
    """Enable-ExchangeCertificate with a host that answers the question."""
    ui = AskedUi(job["choice"])
    host = PSHost(None, None, False, "rehearsal", None, ui, "1.0")
    with open_pool(job, host) as pool:
        shell = cmdlet(pool, "Enable-ExchangeCertificate", **job["parameters"])
        return {**invoke(shell), "questions": ui.questions}


def import_pfx(job):
    """Import-ExchangeCertificate with bytes and a secure string, then the certificate as it lies in the store."""
    with open_pool(job) as pool:
        pool.exchange_keys()
        password = pool.serialize(job["pfxPassword"], ObjectMeta("SS"))
        pfx = base64.b64decode(job["pfx"])
        shell = cmdlet(pool, "Import-ExchangeCertificate", FileData=pfx, PrivateKeyExportable=True)
        shell.add_parameter("Password", password)
        imported = shell.invoke()
        result = outcome(shell, imported)
        result["rawData"] = [base64.b64encode(item.adapted_properties["RawData"]).decode() for item in imported]
        return result


def stop(job):
    """Stops a cmdlet that takes long, by the signal that MS-PSRP spells crtl_c, and runs another one after it."""
    with open_pool(job) as pool:
        shell = cmdlet(pool, "Get-ExchangeCertificate", **job["parameters"])
        shell.begin_invoke()
        pool.shell.signal("powershell/signal/crtl_c", str(shell.id).upper())
        shell.end_invoke()
        return [shell.state, invoke(cmdlet(pool, "Get-ExchangeServer"))["state"]]


def abandon(job):
    """The same by pypsrp's own means, which send ctrl_c and expect no more of the cmdlet."""
    with open_pool(job) as pool:
        shell = cmdlet(pool, "Get-ExchangeCertificate", **job["parameters"])
        shell.begin_invoke()
        shell.stop()
        return [shell.state, invoke(cmdlet(pool, "Get-ExchangeServer"))["state"]]


def serialized(job):
    """SerializationData of every certificate."""
    with open_pool(job) as pool:
        shell = cmdlet(pool, "Get-ExchangeCertificate")
        return [
            base64.b64encode(item.extended_properties["SerializationData"]).decode() for item in shell.invoke()
        ]


def side_by_side(job):
    """Several pools at once, each with a cmdlet."""
    states = []

    def one():
        with open_pool(job) as pool:
            states.append(invoke(cmdlet(pool, "Get-ExchangeServer"))["state"])

    threads = [threading.Thread(target=one) for _ in range(job["count"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return states


def refused(job):
    """What opening a pool ends with."""
    try:
        with open_pool(job):
            return {"error": None}
    except WSManFaultError as error:
        # Any answer without SOAP is one, too: then there is no code, and the reason is the HTTP error.
        return {"error": "fault", "code": error.code} if error.code else {"error": "http", "text": str(error.__context__)}
    except AuthenticationError:
        return {"error": "authentication"}


peer.run(
    {
        "run": run_cmdlet,
        "script": run_script,
        "enable": enable,
        "import": import_pfx,
        "stop": stop,
        "abandon": abandon,
        "serialized": serialized,
        "sideBySide": side_by_side,
        "refused": refused,
    }
)
