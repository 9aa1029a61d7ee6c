"""Fuzzers whose stored inputs are ordinary tests."""

def fuzzer(name, srcs, deps, mutator_srcs = [], mutator_deps = [], data = [], size = "small", tags = []):
    """NAME_fuzzer, for `./run soak fuzz`, and NAME_corpus_test, which runs corpus/NAME/*.

    Args:
      name: of the fuzzer and of its folder in corpus/.
      srcs: define LLVMFuzzerTestOneInput().
      deps: of srcs.
      mutator_srcs: define LLVMFuzzerCustomMutator(), which only the fuzzer can have.
      mutator_deps: of mutator_srcs.
      data: what inputs need when they run.
      size: of the test.
      tags: of both.
    """
    target = "{}_target".format(name)
    native.cc_library(
        name = target,
        testonly = True,
        srcs = srcs,
        tags = tags,
        deps = deps,
        alwayslink = True,
    )

    # By hand only: it links with --config=fuzz and --config=coverage alone.
    native.cc_binary(
        name = "{}_fuzzer".format(name),
        testonly = True,
        srcs = mutator_srcs,
        data = data,
        linkopts = ["-fsanitize=fuzzer"],
        tags = tags + ["manual"],
        deps = [":" + target] + mutator_deps,
    )
    native.cc_test(
        name = "{}_corpus_test".format(name),
        size = size,
        args = ["tests/fuzz/corpus/" + name],
        data = data + native.glob(["corpus/{}/**".format(name)]),
        tags = tags,
        deps = [
            ":corpus_main",
            ":" + target,
        ],
    )
