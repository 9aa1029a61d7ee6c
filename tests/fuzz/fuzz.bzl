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
      tags: of all of them.
    """
    target = name + "_target"
    native.cc_library(
        name = target,
        testonly = True,
        srcs = srcs,
        linkstatic = True,
        tags = tags,
        deps = deps,
        alwayslink = True,
    )
    mutator = []
    if mutator_srcs:
        mutator = [name + "_mutator"]
        native.cc_library(
            name = name + "_mutator",
            testonly = True,
            srcs = mutator_srcs,
            linkstatic = True,
            tags = tags,
            deps = mutator_deps,
            alwayslink = True,
        )

    # By hand only: it links with --config=fuzz alone.
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        data = data,
        linkopts = ["-fsanitize=fuzzer"],
        tags = tags + ["manual"],
        deps = [target] + mutator,
    )
    native.cc_test(
        name = name + "_corpus_test",
        size = size,
        args = ["tests/fuzz/corpus/" + name],
        data = data + native.glob(["corpus/{}/**".format(name)]),
        tags = tags,
        deps = [
            ":corpus_main",
            target,
        ],
    )
