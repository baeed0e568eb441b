"""pypsrp as a client of the endpoint, as remoteClient.cjs is one: a job per line, an outcome per line, both JSON."""

import json
import resource
import sys
import time

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

connection = json.loads(sys.stdin.readline())


def open_pool():
    # Its cookies keep to the case of the path, so that is written as the cookie's is.
    wsman = WSMan(
        connection["host"],
        port=connection["port"],
        ssl=True,
        auth="basic",
        username=connection["user"],
        password=connection["password"],
        path="powershell/?serializationLevel=Full",
        cert_validation=connection["caFile"],
        operation_timeout=20,
    )
    pool = RunspacePool(wsman, configuration_name="Microsoft.Exchange")
    pool.open()
    return pool


def run(pool, commands):
    # Leaving the block sends the Signal Terminate, without which a server runs out of commands.
    with PowerShell(pool) as shell:
        for command in commands:
            shell.add_cmdlet(command["name"]).add_parameters(command["parameters"])
        output = shell.invoke()
        if shell.had_errors:
            raise RuntimeError(f"{commands[0]['name']} failed: {shell.streams.error}")
    return len(output)


pools = {}


def repeat(job):
    objects = 0
    for _ in range(job["count"]):
        for commands in job["pipelines"]:
            objects += run(pools[job["pool"]], commands)
    return objects


def begin(job):
    pools[job["pool"]] = open_pool()
    return 0


def end(job):
    pools.pop(job["pool"]).close()
    return 0


def memory(_):
    """Mebibytes, at most."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        bytes_per_unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * bytes_per_unit / 1024 / 1024


def cpu_seconds(_=None):
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


JOBS = {"begin": begin, "end": end, "run": repeat, "snapshot": repeat, "memory": memory, "cpu": cpu_seconds}


for line in sys.stdin:
    job = json.loads(line)
    cpu, clock = cpu_seconds(), time.perf_counter()
    value = JOBS[job["do"]](job)
    outcome = {"value": value, "seconds": time.perf_counter() - clock, "cpuSeconds": cpu_seconds() - cpu}
    print(json.dumps(outcome), flush=True)
