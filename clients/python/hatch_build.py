"""Generates the messages of the service when a wheel, an sdist or an editable install is built."""

import re
from pathlib import Path
from typing import Any

import grpc_tools
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROTO_PACKAGE = "intercom/extractor/v1"
# `intercom` is the import name of Intercom's own package: ours must not stand in its way.
PYTHON_PACKAGE = "intercom_extractor/v1"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes src/intercom_extractor/v1 from the .proto files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            return  # It has the .proto files instead.
        generate(Path(self.root))


def generate(root: Path) -> None:
    protos = next(
        folder for folder in (root / "proto", root / "../../proto") if folder.is_dir()
    ).resolve()
    names = [f"{PROTO_PACKAGE}/{path.name}" for path in (protos / PROTO_PACKAGE).glob("*.proto")]
    sources = root / "src"
    builtin = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{protos}", f"-I{builtin}"]
    arguments += [f"--{kind}_out={sources}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main([*arguments, *sorted(names)]) != 0:
        raise RuntimeError("protoc failed; its errors stand above")

    generated, package = sources / PROTO_PACKAGE, sources / PYTHON_PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(
        '"""The messages of the service, generated from its .proto files."""\n'
    )
    ours, theirs = (text.replace("/", ".") for text in (PYTHON_PACKAGE, PROTO_PACKAGE))
    for path in generated.iterdir():
        text = re.sub(
            rf"^from {theirs} import", f"from {ours} import", path.read_text(), flags=re.M
        )
        (package / path.name).write_text(text)
        path.unlink()
    for folder in (generated, *generated.parents[:2]):
        folder.rmdir()


if __name__ == "__main__":
    generate(Path(__file__).parent)
