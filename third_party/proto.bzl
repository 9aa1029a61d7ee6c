"""Generates C++ from .proto files with Debian's protoc and gRPC plugin."""

def _cc_generated(name, protos, suffix, arguments, deps, visibility):
    package = native.package_name()
    stems = [proto[:-len(".proto")] for proto in protos]
    hdrs = [stem + suffix + ".h" for stem in stems]
    srcs = [stem + suffix + ".cc" for stem in stems]
    native.genrule(
        name = name + "_generated",
        srcs = native.glob(["**/*.proto"]),
        outs = hdrs + srcs,
        cmd = "protoc -I{package} {arguments} {files}".format(
            package = package,
            arguments = arguments,
            files = " ".join([package + "/" + proto for proto in protos]),
        ),
    )
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        # Generated code is not ours to tidy.
        copts = ["-w"],
        includes = ["."],
        visibility = visibility,
        deps = deps,
    )

def cc_messages(name, protos, deps = [], visibility = None):
    """A cc_library of the messages of `protos`, imported relative to this package."""
    _cc_generated(name, protos, ".pb", "--cpp_out=$(RULEDIR)", deps + ["@protobuf"], visibility)

def cc_services(name, protos, deps, visibility = None):
    """A cc_library of the gRPC services of `protos`; `deps` hold their messages."""
    _cc_generated(
        name,
        protos,
        ".grpc.pb",
        "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out=$(RULEDIR)",
        deps + ["@grpc"],
        visibility,
    )
