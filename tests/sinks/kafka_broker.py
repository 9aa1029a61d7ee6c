"""A Kafka broker of a test's own, from Maven Central: KRaft, one node, loopback."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

from server_process import ServerProcess, running

from process import free_port

POM = Path(__file__).parent / "kafka-server/pom.xml"
START_SECONDS = 180.0
# 16 bytes in base64, as the broker wants it; one cluster is as good as another.
CLUSTER_ID = "AAAAAAAAAAAAAAAAAAAAAQ"
SASL_USER, SASL_PASSWORD = "etl", "hunter2"

LOG_SETTINGS = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
"""


def jars() -> Path:
    """The folder of the broker's jars; Maven fills it once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "intercom-extractor"
    folder = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
            subprocess.run(["mvn", "-q", "-B", "-f", POM, *goal], check=True)
            partial.rename(folder)
    return folder


class Kafka(ServerProcess):
    """Runs until it is stopped; may be killed and started again with its data."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.sasl_port = free_port()
        self._classpath = f"{jars()}/*"
        self._settings = folder / "server.properties"
        self._settings.write_text(self._server_settings(free_port()))
        (folder / "log4j2.properties").write_text(LOG_SETTINGS)
        format_storage = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
        subprocess.run(
            [*self._java(), *format_storage, "-c", self._settings],
            check=True,
            cwd=folder,
            capture_output=True,
        )

    def _java(self) -> list[str]:
        memory = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC"]
        log = f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties"
        return ["java", *memory, log, "-cp", self._classpath]

    def _server_settings(self, controller_port: int) -> str:
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},SASL_PLAINTEXT://127.0.0.1:"
            f"{self.sasl_port},CONTROLLER://127.0.0.1:{controller_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SASL_PLAINTEXT:SASL_PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config": f"{plain} "
            f'user_{SASL_USER}="{SASL_PASSWORD}";',
            "log.dirs": f"{self.folder}/data",
            "auto.create.topics.enable": "false",
            "num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            # A broker that was killed is taken back once its session is over.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # Also internal topics are of one replica.
            **{
                f"{topic}.{setting}": "1"
                for topic in (
                    "offsets.topic",
                    "transaction.state.log",
                    "share.coordinator.state.topic",
                )
                for setting in ("replication.factor",)
            },
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.num.partitions": "4",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, prefix: str, **parameters: str) -> str:
        query = "".join(f"&{name.replace('_', '.')}={value}" for name, value in parameters.items())
        return f"kafka://{self.address}/?prefix={prefix}{query}"

    def start(self) -> None:
        self.launch([*self._java(), "kafka.Kafka", self._settings])
        for _ in self.until_it_answers(START_SECONDS):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return


def running_kafka() -> contextlib.AbstractContextManager[Kafka]:
    return running(Kafka)
