"""Bazel's view of libraries that Debian packages install into /usr.

`pkg-config` knows the compile and link options of each; the headers are on the
compiler's default path. So a repository is one cc_library without sources.
"""

def _pkg_config(ctx, args):
    result = ctx.execute(["pkg-config"] + args + ctx.attr.modules)
    if result.return_code != 0:
        fail("pkg-config does not know {}: {}\nInstall what is missing with ./run build.".format(
            ", ".join(ctx.attr.modules),
            result.stderr.strip(),
        ))
    return [word for word in result.stdout.replace("\n", " ").split(" ") if word]

def _system_library_impl(ctx):
    cflags = [
        flag
        for flag in _pkg_config(ctx, ["--cflags"])
        # -std is the project's choice; include paths in /usr are the default.
        if not flag.startswith("-std=") and not flag.startswith("-I/usr/include")
    ]
    linkopts = _pkg_config(ctx, ["--libs"]) + ctx.attr.extra_linkopts
    ctx.file("BUILD.bazel", """cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
)
""".format(
        name = ctx.name,
        defines = repr([flag[2:] for flag in cflags if flag.startswith("-D")]),
        linkopts = repr(linkopts),
    ))

system_library = repository_rule(
    implementation = _system_library_impl,
    attrs = {
        "extra_linkopts": attr.string_list(doc = "Libraries of the same package that have no .pc file."),
        "modules": attr.string_list(mandatory = True, doc = "Names of .pc files."),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
