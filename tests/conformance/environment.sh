# shellcheck shell=bash
# What the tests in Python share; sourced at the root of the checkout.

# The folder of the caller, from which its relative paths count.
readonly caller_dir=${from:?}

absolute() { if [[ $1 == /* ]]; then echo "$1"; else echo "$caller_dir/$1"; fi; }

# Exports the paths of the programs; those that the environment names come first.
name_programs() {
  FAKE_INTERCOM=$(absolute "${FAKE_INTERCOM:-$PWD/bazel-bin/tests/fake_intercom/fake-intercom}")
  INTERCOM_EXTRACT=$(absolute "${INTERCOM_EXTRACT:-$PWD/bazel-bin/clients/cli/intercom-extract}")
  INTERCOM_SERVER=$(absolute "${INTERCOM_SERVER:-$PWD/bazel-bin/server/intercom-extractor-server}")
  export FAKE_INTERCOM INTERCOM_EXTRACT INTERCOM_SERVER
}

# require_program PROGRAM TESTS: a program that is not there is one failure of the tests.
require_program() {
  [[ -x $1 ]] && return
  echo "$2: no program at $1; build it with ./run build" >&2
  echo "0 passed, 1 failed"
  exit 1
}

# run_pytest FOLDER REPORT [ARGUMENTS]: plays the tests of a folder and leaves a report in
# JUnit's format; the last line is `N passed, N failed`.
run_pytest() {
  local suite=$1 report=$2 status=0
  "$environment/bin/python" -m pytest "$suite" --rootdir "$suite" -p no:cacheprovider \
    --quiet --junit-xml "$report" "${@:3}" || status=$?
  "$environment/bin/python" tests/conformance/count_results.py "$report" || status=1
  return "$status"
}

# prepare_environment REQUIREMENTS: sets `environment` to a Python environment with them;
# there is one for each set of requirements and each Python.
prepare_environment() {
  local key
  key=$({ cat "$1" && python3 --version; } | sha256sum | cut -c1-16)
  environment=${XDG_CACHE_HOME:-$HOME/.cache}/intercom-extractor/venv-$key
  mkdir -p "$(dirname "$environment")"
  # Runs at the same time must not build the same environment; the file `complete`
  # tells a whole one from one whose making was interrupted.
  exec 9>"$environment.lock"
  flock 9
  if [[ ! -e $environment/complete ]]; then
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input \
      --requirement "$1" >&2
    touch "$environment/complete"
  fi
  exec 9>&-
}
