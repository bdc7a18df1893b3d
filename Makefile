# Every command sets up what it needs on first use (tools/setup.sh). Paths are relative, so the folder may have any name.

PYTHON_IN = .venv/bin/python

# Tests and notebooks share the machine: no progress bars in the outputs, and no process takes all of a GPU's memory.
QUIET = TQDM_DISABLE=1 XLA_PYTHON_CLIENT_PREALLOCATE=false PYDEVD_DISABLE_FILE_VALIDATION=1
PARALLEL = -q -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
NBVAL = --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg

# Jupyter, pip and JAX keep files in the home folder; where that cannot be written, they get one here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/build/home
$(shell mkdir -p "$(HOME)")
endif

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /	/' | awk -F '	' '{ printf "make %-12s %s\n", $$1, $$2 }'

lab: .setup ## open the lessons in JupyterLab (LAB_ARGS="--no-browser --port 8899" is passed on)
	@root=; [ "$$(id -u)" -ne 0 ] || root=--allow-root; \
	exec $(PYTHON_IN) -m jupyterlab --config=tools/lab_config.py $$root $(LAB_ARGS)

test: .setup ## run all tests, and every notebook against its stored outputs
	@status=0; \
	$(QUIET) $(PYTHON_IN) -m pytest $(PARALLEL) tests --ignore tests/test_notebooks.py --ignore tests/test_speed.py \
	    --cov --cov-report term-missing:skip-covered --cov-fail-under 95 || status=1; \
	$(QUIET) $(PYTHON_IN) -m pytest $(PARALLEL) $(NBVAL) -m "not slow" tests/test_notebooks.py notebooks || status=1; \
	$(QUIET) $(PYTHON_IN) -m pytest -q tests/test_speed.py || status=1; \
	exit $$status

test-colab: ## the tests on the versions that Colab has, and every lesson alone with all its solutions
	@sh tools/setup.sh colab
	@.venv-colab/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@$(QUIET) .venv-colab/bin/pytest $(PARALLEL) $(NBVAL) tests notebooks/00_start_here.ipynb --ignore tests/test_speed.py

links: .setup ## write the repository's address (pyproject.toml) and the set-up cell into all files that carry them
	@$(PYTHON_IN) tools/links.py

notebooks: .setup ## run the lessons and store their outputs (N=01_one_hot_toy for one)
	@$(QUIET) $(PYTHON_IN) tools/run_notebooks.py $(if $(N),notebooks/$(N).ipynb)

slides: .setup ## make slides of the lessons in build/slides (N=01_one_hot_toy for one)
	@$(PYTHON_IN) tools/slides.py $(if $(N),notebooks/$(N).ipynb)

pages: .setup ## make pages to read, without a kernel, in build/pages (N=01_one_hot_toy for one)
	@$(PYTHON_IN) tools/slides.py --pages $(if $(N),notebooks/$(N).ipynb)

lock: .setup ## renew requirements.lock from the ranges in pyproject.toml
	@[ -x build/uv/bin/uv ] || $(PYTHON_IN) -m pip install --quiet --disable-pip-version-check --target build/uv uv
	@build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra lab --extra test \
	    --no-annotate --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean: ## remove the environments and everything that was made
	@rm -rf .venv .venv-colab build dist .pytest_cache .hypothesis .coverage .coverage.*

.setup:
	@sh tools/setup.sh

.PHONY: help lab test test-colab links notebooks slides pages lock clean .setup
