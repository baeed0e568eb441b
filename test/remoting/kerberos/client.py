"""pypsrp with Kerberos as an independent client: a job on standard input, its outcome on standard output, both JSON."""

import json
import sys

from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan


def run(job):
    connection = WSMan(
        "localhost",
        port=job["port"],
        ssl=job.get("caFile") is not None,
        auth=job.get("auth", "kerberos"),
        encryption=job["encryption"],
        username=job.get("user"),
        password=job.get("password"),
        path="powershell/",
        cert_validation=job.get("caFile") or True,
        negotiate_service="HTTP",
        negotiate_hostname_override=job.get("serviceHost"),
    )
    with RunspacePool(connection, configuration_name="Microsoft.Exchange") as pool:
        outputs = []
        for cmdlet in job["cmdlets"]:
            shell = PowerShell(pool)
            shell.add_cmdlet(cmdlet)
            outputs.append(len(shell.invoke()))
        return {"outputs": outputs}


def outcome(job):
    try:
        return run(job)
    except AuthenticationError as error:
        return {"error": "authentication", "text": str(error)}
    except WinRMTransportError as error:
        return {"error": "http", "status": error.code}
    except Exception as error:  # Its name is the outcome; a test that didn't expect it shows it.
        return {"error": type(error).__name__, "text": str(error)}


json.dump(outcome(json.load(sys.stdin)), sys.stdout)
