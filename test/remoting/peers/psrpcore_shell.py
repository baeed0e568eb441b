"""A remote shell whose PowerShell Remoting is psrpcore's server half, and whose cmdlets do what a test's script says."""

import collections
import threading
import uuid

import psrpcore
from psrpcore.types import PSInvocationState, RunspacePoolState
from psrpcore_fragments import Sequence, empty_fragments
from psrpcore_values import described, error_record, parameters_of, value_of

STEP_LIMIT_SECONDS = 30


class Stopped(Exception):
    """The pipeline was stopped while its script ran."""


class NotThere(Exception):
    """No such command in this shell, or no more."""


class Run:
    """A pipeline, what it waits to send, and what was asked of it."""

    def __init__(self, pool, command_id):
        self.command_id = command_id
        self.pipeline = psrpcore.ServerPipeline(pool, uuid.UUID(command_id))
        self.answers = {}
        self.is_over = False
        self.record = {
            "id": command_id,
            "commands": None,
            "requests": collections.Counter(),
            "answers": [],
            "signals": [],
            "state": "NotStarted",
            "doneSaid": False,
        }

    @property
    def state(self):
        return self.pipeline.state

    @property
    def is_final(self):
        return self.state in (PSInvocationState.Completed, PSInvocationState.Failed, PSInvocationState.Stopped)


class Shell:
    """Thread-safe: every request and every script has a thread of its own."""

    def __init__(self, shell_id, settings, complain):
        self.shell_id = shell_id
        self.settings = settings
        self.complain = complain
        self.changed = threading.Condition(threading.RLock())
        self.pool = psrpcore.ServerRunspacePool(settings.get("applicationPrivateData"))
        self.runs = {}
        self.history = []
        self.waiting = {None: collections.deque()}
        self.meetings = collections.Counter()
        self.received = Sequence()
        self.record = {"id": shell_id, "events": [], "openPipelinesAtDelete": None, "emptyFragments": 0, "poolAnswers": []}

    def report(self):
        with self.changed:
            pool = self.pool
            return {
                **self.record,
                "state": pool.state.name,
                "runspacePoolId": str(pool.runspace_pool_id).upper(),
                "runspaces": [pool.min_runspaces, pool.max_runspaces],
                "host": host_of(pool.host),
                "pipelines": [{**run.record, "state": run.state.name} for run in self.history],
            }

    # What arrives.

    def receive(self, data, stream, command_id=None):
        """Fragments of the pool, or of one of its pipelines."""
        for secret in self.settings.get("secrets") or []:
            if any(secret.encode(encoding) in data for encoding in ("utf-8", "utf-16-le")):
                self.complain("A secret came in the clear")
        with self.changed:
            for problem in self.received.check(data):
                self.complain(f"A request {problem}")
            run = None if command_id is None else self.find(command_id)
            kind = psrpcore.StreamType.prompt_response if stream == "pr" else psrpcore.StreamType.default
            pipeline_id = None if run is None else run.pipeline.pipeline_id
            self.pool.receive_data(psrpcore.PSRPPayload(data, kind, pipeline_id))
            while (event := self.pool.next_event()) is not None:
                self.take_event(event, stream, run)
            self.flush()

    def take_event(self, event, stream, run):
        is_response = "HostResponse" in type(event).__name__
        if is_response != (stream == "pr"):
            self.complain(f"{type(event).__name__} came on the stream {stream}")
        if event.pipeline_id != (None if run is None else run.pipeline.pipeline_id):
            self.complain(f"{type(event).__name__} came in a request for another pipeline")
        if isinstance(event, psrpcore.CreatePipelineEvent):
            self.start(run)
        elif isinstance(event, psrpcore.PipelineHostResponseEvent):
            run.answers[event.ci] = event
        else:
            self.record["events"].append(type(event).__name__)
            if isinstance(event, psrpcore.SessionCapabilityEvent):
                self.record["capability"] = [
                    str(one) for one in (event.protocol_version, event.ps_version, event.serialization_version)
                ]
            if isinstance(event, psrpcore.InitRunspacePoolEvent) and self.settings.get("requestsKey"):
                self.pool.request_key()
            if isinstance(event, psrpcore.PublicKeyEvent):
                self.disturb(self.settings.get("withKey") or [])
            if isinstance(event, psrpcore.RunspacePoolHostResponseEvent):
                self.record["poolAnswers"].append(None if event.error is None else event.error.FullyQualifiedErrorId)

    def disturb(self, names):
        """What else the pool says while the client waits for its key."""
        for name in names:
            if name == "event":
                self.pool.send_event(1, "the test", message_data="nobody asked for it")
            elif name == "question":
                psrpcore.ServerHostRequestor(self.pool).read_line()
            elif name == "broken":
                self.pool.set_broken(error_record({"message": "The pool broke down.", "id": "Broken"}))

    def start(self, run):
        """Runs the script that the test has for these cmdlets; without one they end with nothing to say."""
        metadata = run.pipeline.metadata
        run.record["commands"] = [
            {"name": one.command_text, "isScript": one.is_script, "parameters": parameters_of(one)}
            for one in metadata.commands
        ]
        if not metadata.no_input:
            self.complain("A pipeline came that waits for input")
        running = sum(1 for one in self.history if one.state == PSInvocationState.Running)
        if running >= self.pool.max_runspaces:
            self.complain(f"{running + 1} pipelines run at once in a pool of {self.pool.max_runspaces}")
        run.pipeline.start()
        name = " | ".join(one.command_text for one in metadata.commands)
        script = self.settings["script"].get(name, [])
        threading.Thread(target=self.play, args=(run, script), daemon=True).start()

    # What the script does.

    def play(self, run, script):
        try:
            self.play_steps(run, script)
            with self.changed:
                if run.state == PSInvocationState.Running:
                    run.pipeline.complete()
                self.flush()
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001: the test must hear of it, whatever it is
            self.complain(f"A script failed: {error!r}")
            with self.changed:
                if run.state == PSInvocationState.Running:
                    self.end(run, {"message": "the script of the test failed"})

    def play_steps(self, run, steps):
        for step in steps:
            [(name, argument)] = step.items()
            with self.changed:
                if run.state != PSInvocationState.Running:
                    raise Stopped
                getattr(self, f"do_{name}")(run, argument)
                if not self.settings.get("batched"):
                    self.flush()

    def do_output(self, run, argument):
        run.pipeline.write_output(value_of(argument))

    def do_warning(self, run, argument):
        run.pipeline.write_warning(argument)

    def do_verbose(self, run, argument):
        run.pipeline.write_verbose(argument)

    def do_debug(self, run, argument):
        run.pipeline.write_debug(argument)

    def do_information(self, run, argument):
        run.pipeline.write_information(argument, "the test")

    def do_progress(self, run, argument):
        run.pipeline.write_progress(argument, 0, "half of it is done", percent_complete=50)

    def do_error(self, run, argument):
        record = error_record(argument)
        run.pipeline.write_error(
            record.Exception,
            category_info=record.CategoryInfo,
            target_object=record.TargetObject,
            fully_qualified_error_id=record.FullyQualifiedErrorId,
            error_details=record.ErrorDetails,
        )

    def do_fail(self, run, argument):
        self.end(run, argument)

    def do_ask(self, run, argument):
        """A question with choices; `then` has the steps for each answer. A refusal ends the pipeline."""
        choices = [psrpcore.types.ChoiceDescription(Label=one, HelpMessage=f"{one}?") for one in argument["choices"]]
        call_id = psrpcore.ServerHostRequestor(run.pipeline).prompt_for_choice(
            argument["caption"], argument["message"], choices, argument["default"]
        )
        answer = self.await_answer(run, call_id)
        if answer is not None:
            self.play_steps(run, argument.get("then", {}).get(str(answer), []))

    def do_readLine(self, run, _argument):
        self.await_answer(run, psrpcore.ServerHostRequestor(run.pipeline).read_line())

    def do_writeLine(self, run, argument):
        psrpcore.ServerHostRequestor(run.pipeline).write_line(argument)

    def do_hostProgress(self, run, argument):
        psrpcore.ServerHostRequestor(run.pipeline).write_progress(1, 1, argument, "half of it is done")

    def do_pause(self, run, seconds):
        self.flush()
        self.wait(lambda: run.state != PSInvocationState.Running, seconds)

    def do_untilStopped(self, run, _argument):
        self.flush()
        if not self.wait(lambda: run.state != PSInvocationState.Running, STEP_LIMIT_SECONDS):
            self.complain("A pipeline that was to be stopped wasn't")

    def do_meet(self, _run, count):
        """Goes on when so many pipelines have come to this step: so they do run at the same time."""
        self.meetings[count] += 1
        self.changed.notify_all()
        needed = -(-self.meetings[count] // count) * count
        if not self.wait(lambda: self.meetings[count] >= needed, STEP_LIMIT_SECONDS):
            self.complain(f"{count} pipelines never ran at the same time")

    def await_answer(self, run, call_id):
        self.flush()
        if not self.wait(lambda: call_id in run.answers or run.state != PSInvocationState.Running, STEP_LIMIT_SECONDS):
            self.complain("A host call was never answered")
        if run.state != PSInvocationState.Running:
            raise Stopped
        event = run.answers.pop(call_id)
        method = event.method_identifier.name
        if event.error is None:
            run.record["answers"].append({"method": method, "result": described(event.result)})
            return event.result
        error_id = event.error.FullyQualifiedErrorId
        run.record["answers"].append({"method": method, "error": str(event.error), "errorId": error_id})
        self.end(run, event.error)
        return None

    def end(self, run, error):
        """Ends a pipeline with the error that stopped it. psrpcore has no method of its own for that."""
        record = error if isinstance(error, psrpcore.types.ErrorRecord) else error_record(error)
        failed = PSInvocationState.Failed
        message = psrpcore.types.PipelineState(PipelineState=int(failed), ExceptionAsErrorRecord=record)
        run.pipeline.prepare_message(message)
        run.pipeline.state = failed
        self.flush()

    # What goes out.

    def flush(self):
        """Sorts what psrpcore wants to send by the request that will carry it."""
        while (payload := self.pool.data_to_send(self.settings["fragmentBytes"])) is not None:
            self.waiting.setdefault(payload.pipeline_id, collections.deque()).append(payload.data)
            self.record["emptyFragments"] += empty_fragments(payload.data)
        self.changed.notify_all()

    def wait(self, is_there, seconds):
        """Whether it came about in time."""
        return self.changed.wait_for(is_there, seconds)

    def take(self, command_id, max_bytes, seconds):
        """Fragments for one Receive, none when there were none in time; and whether the command is done with them."""
        with self.changed:
            run = None if command_id is None else self.find(command_id)
            queue = self.waiting.setdefault(None if run is None else run.pipeline.pipeline_id, collections.deque())
            if run is not None and run.record["doneSaid"]:
                self.complain("A Receive came for a command that was done")
            self.wait(lambda: queue or (run is not None and run.is_over), seconds)
            if run is not None and run.is_over:
                raise NotThere
            taken = []
            most = self.settings.get("fragmentsPerReceive") or len(queue)
            while queue and len(taken) < most and (max_bytes := max_bytes - stream_bytes(queue[0])) >= 0:
                taken.append(queue.popleft())
            is_done = run is not None and run.is_final and not queue
            if is_done:
                run.record["doneSaid"] = True
            return taken, is_done

    # Commands.

    def find(self, command_id):
        run = self.runs.get(command_id)
        if run is None:
            raise NotThere
        return run

    def command(self, command_id, data):
        with self.changed:
            run = Run(self.pool, command_id)
            self.runs[command_id] = run
            self.history.append(run)
            self.receive(data, "stdin", command_id)
            return run

    def signal(self, command_id, code):
        """The two signals: stop leaves the command where it is, terminate forgets it."""
        with self.changed:
            run = self.find(command_id)
            run.record["signals"].append(code)
            if run.state == PSInvocationState.Running:
                run.pipeline.begin_stop()
                run.pipeline.stop()
            if code.endswith("/Terminate"):
                self.forget(run)
            self.flush()

    def forget(self, run):
        run.is_over = True
        del self.runs[run.command_id]
        run.pipeline.close()
        self.flush()
        self.waiting.pop(run.pipeline.pipeline_id, None)

    def delete(self):
        with self.changed:
            self.record["openPipelinesAtDelete"] = len(self.runs)
            for run in list(self.runs.values()):
                self.signal(run.command_id, "the shell was deleted/Terminate")
            if self.pool.state != RunspacePoolState.Broken:
                self.pool.close()
            self.changed.notify_all()


def stream_bytes(data):
    """How long the element is that carries them."""
    return len(data) * 4 // 3 + 200


def host_of(host):
    """What the client says of its host: who can be asked what."""
    if host is None:
        return None
    return {
        "isNull": host.IsHostNull,
        "isUiNull": host.IsHostUINull,
        "isRawUiNull": host.IsHostRawUINull,
        "hasDefaults": host.HostDefaultData is not None,
    }
