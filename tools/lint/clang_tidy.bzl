"""clang-tidy over the product's C++ sources, one cached action per file.

`./run lint` builds the aspect over //... together with --config=clang.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _compile_flags(ctx, cc_info):
    """How the target's sources are compiled: toolchain, options, include paths, defines."""
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        # Module maps are the compiler's check of layers, and no business of clang-tidy.
        unsupported_features = ["layering_check", "module_maps"],
    )
    context = cc_info.compilation_context
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        include_directories = context.includes,
        preprocessor_defines = depset(transitive = [context.defines, context.local_defines]),
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        user_compile_flags = (
            ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts +
            getattr(ctx.rule.attr, "copts", [])
        ),
    )
    return cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = ACTION_NAMES.cpp_compile,
        variables = variables,
    ), toolchain.all_files

def _clang_tidy_impl(target, ctx):
    if ctx.rule.kind not in ["cc_binary", "cc_library", "cc_test"]:
        return []

    # What gtest's macros expand to takes half a minute per file on two cores, more
    # than everything else together; tests are checked by compilers and sanitizers.
    if ctx.rule.attr.testonly:
        return []

    # Generated sources are not ours to tidy.
    sources = [
        file
        for source in ctx.rule.attr.srcs
        for file in source.files.to_list()
        if file.is_source and file.extension == "cc"
    ]
    if not sources:
        return []

    # Binaries offer no CcInfo of their own.
    infos = [dep[CcInfo] for dep in ctx.rule.attr.deps if CcInfo in dep]
    if CcInfo in target:
        infos.append(target[CcInfo])
    cc_info = cc_common.merge_cc_infos(cc_infos = infos)
    flags, toolchain_files = _compile_flags(ctx, cc_info)
    own_headers = [
        file
        for source in ctx.rule.attr.srcs
        for file in source.files.to_list()
        if file.extension == "h"
    ]

    stamps = []
    for source in sources:
        stamp = ctx.actions.declare_file("{}.{}.tidy".format(ctx.label.name, source.basename))
        stamps.append(stamp)
        ctx.actions.run(
            outputs = [stamp],
            inputs = depset(
                [source, ctx.file._config] + own_headers,
                transitive = [cc_info.compilation_context.headers, toolchain_files],
            ),
            executable = ctx.executable._clang_tidy,
            arguments = [
                stamp.path,
                "--config-file=" + ctx.file._config.path,
                source.path,
                "--",
            ] + flags,
            mnemonic = "ClangTidy",
            progress_message = "clang-tidy " + source.short_path,
            use_default_shell_env = True,
        )
    return [OutputGroupInfo(clang_tidy = depset(stamps))]

clang_tidy = aspect(
    implementation = _clang_tidy_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_clang_tidy": attr.label(
            default = "//tools/lint:clang_tidy.sh",
            allow_single_file = True,
            cfg = "host",
            executable = True,
        ),
        "_config": attr.label(default = "//:.clang-tidy", allow_single_file = True),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
