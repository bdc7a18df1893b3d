#!/bin/sh
# Makes the virtual environment that the Makefile works in; does nothing when it is there and up to date.
#   tools/setup.sh         .venv        the exact versions of requirements.lock, for lessons and tests
#   tools/setup.sh colab   .venv-colab  the versions of tests/colab-pins.txt, to test what Colab users have
#   tools/setup.sh grade   .venv        also the versions of requirements-grade.lock, to grade homework and to test that
#   tools/setup.sh site    .venv-site   the versions of requirements-site.lock, to build the site and the slides
set -eu
cd "$(dirname "$0")/.."

oldest=11 # Python 3.11 …
newest=14 # … to 3.14 have ready-made packages of every version in requirements.lock

[ "${1:-}" != grade ] || sh tools/setup.sh
stamped=.ready # in the environment; holds the folder it was made in: an environment does not survive a move
if [ "${1:-}" = colab ]; then
    venv=.venv-colab pins=tests/colab-pins.txt PYTHON=${PYTHON_COLAB:-}
elif [ "${1:-}" = site ]; then
    venv=.venv-site pins=requirements-site.lock PYTHON=${PYTHON:-}
elif [ "${1:-}" = grade ]; then
    venv=.venv pins=requirements-grade.lock stamped=.ready-grade PYTHON=${PYTHON:-}
else
    venv=.venv pins=requirements.lock PYTHON=${PYTHON:-}
fi
stamp=$venv/$stamped

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$PWD" ] && "$venv/bin/python" -c "" 2>/dev/null &&
    [ -z "$(find "$pins" pyproject.toml tools/setup.sh -newer "$stamp")" ]; then
    exit 0
fi

fail() {
    echo "$1" >&2
    exit 1
}

# The minor version of a Python 3 that really runs (a name on the PATH may be a stub); fails otherwise.
minor() {
    "$1" -c 'import sys; assert sys.version_info[0] == 3; print(sys.version_info[1])' 2>/dev/null
}

# Sets python to the first candidate that fits, or says what to install.
find_python() {
    too_old= too_new= no_venv=
    debian="on Debian or Ubuntu: sudo apt install python3 python3-venv"
    set -- python3 python python3.13 python3.12 python3.11 python3.14
    # Colab has 3.13; pyenv may hold one that is not on the PATH.
    [ $venv != .venv-colab ] || set -- python3.13 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.13.*/bin/python "$@"
    [ -z "$PYTHON" ] || set -- "$PYTHON" "$@"
    for python; do
        v=$(minor "$python") || continue
        if [ "$v" -lt $oldest ]; then
            too_old=${too_old:-"$python is 3.$v"}
        elif [ "$v" -gt $newest ]; then
            too_new=${too_new:-"$python is 3.$v"}
        elif ! "$python" -c "import venv, ensurepip" 2>/dev/null; then
            no_venv=${no_venv:-"$python is 3.$v"}
        else
            return 0
        fi
    done
    [ -z "$no_venv" ] || fail "Python is here ($no_venv) but cannot make virtual environments: install its venv module ($debian) and run this command again."
    [ -z "$too_new" ] || fail "Python here is too new ($too_new) for the pinned packages: install Python 3.$newest beside it (from python.org/downloads) and run this command again."
    [ -z "$too_old" ] || fail "Python here is too old ($too_old): install Python 3.$oldest or newer (from python.org/downloads; $debian) and run this command again."
    fail "No Python was found: install Python 3.$oldest or newer (from python.org/downloads; $debian) and run this command again."
}

# An environment that works is brought up to date in place; anything else is made anew, and removed again if that fails.
in_place=no
if [ "$venv" != .venv-colab ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 &&
    v=$(minor "$venv/bin/python") && [ "$v" -ge $oldest ] && [ "$v" -le $newest ]; then
    in_place=yes
else
    find_python
    rm -rf "$venv"
fi
rm -f "$stamp"
finished=no
clean_up() {
    if [ $finished = no ]; then
        [ $in_place = yes ] || rm -rf "$venv"
        echo "Setting up $venv failed; the reason stands above. Run the command again to retry." >&2
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}

# Reads what pip prints and says how far it is: on a terminal in one line that changes, elsewhere now and then.
show_progress() {
    n=0 status=1
    while read -r word rest; do
        case $word in
        Collecting | Processing | Requirement | Ignoring)
            n=$((n + 1)) rest=${rest#already satisfied: }
            if [ -t 1 ]; then
                printf '\r  package %-4s %-40.40s' "$n" "${rest%%[ ;]*}"
            elif [ $((n % 25)) -eq 0 ]; then
                echo "  $n packages looked up"
            fi ;;
        Installing)
            [ ! -t 1 ] || printf '\r%60s\r' ""
            echo "  $n packages looked up; unpacking them …" ;;
        exit) status=$rest ;;
        esac
    done
    [ ! -t 1 ] || printf '\r%60s\r' ""
    return "$status"
}

# pip install with progress. The pipe would swallow its exit status, so that travels as the last line.
install() {
    { pip install --progress-bar off "$@" && echo "exit 0" || echo "exit 1"; } | show_progress
}

echo "Setting up $venv with Python 3.$v: downloading and installing packages, which takes a few minutes once …"
[ $in_place = yes ] || "$python" -m venv "$venv"
if [ $stamped = .ready-grade ] || [ "$venv" = .venv-site ]; then
    install --no-deps -r "$pins"
elif [ "$venv" = .venv ]; then
    install --no-deps -r requirements.lock
    pip install --quiet --no-deps --no-build-isolation --editable .
    # JupyterLab shall not ask whether it may fetch news: the course needs no network.
    mkdir -p "$venv/share/jupyter/lab/settings"
    cat >"$venv/share/jupyter/lab/settings/overrides.json" <<'JSON'
{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
JSON
else
    # pyproject.toml names what the tests need; the pins decide on the versions.
    tests=$("$venv/bin/python" -c '
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["test"]))')
    echo "$tests" >"$venv/tests.txt"
    install -r "$pins" -r "$venv/tests.txt"
fi
pip check
echo "$PWD" >"$stamp"
finished=yes
