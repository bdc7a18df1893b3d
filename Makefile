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

test: .setup-grade ## run all tests, and every notebook against its stored outputs
	@status=0; \
	$(QUIET) $(PYTHON_IN) -m pytest $(PARALLEL) tests --ignore tests/test_notebooks.py --ignore tests/test_speed.py \
	    --cov --cov-report term-missing:skip-covered --cov-fail-under 95 || status=1; \
	$(QUIET) $(PYTHON_IN) -m pytest $(PARALLEL) $(NBVAL) -m "not slow" tests/test_notebooks.py notebooks --ignore notebooks/homework || status=1; \
	$(QUIET) $(PYTHON_IN) -m pytest -q tests/test_speed.py || status=1; \
	exit $$status

test-colab: ## the tests on the versions that Colab has, and every lesson alone with all its solutions
	@sh tools/setup.sh colab
	@.venv-colab/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@$(QUIET) .venv-colab/bin/pytest $(PARALLEL) $(NBVAL) tests notebooks/00_start_here.ipynb \
	    --ignore tests/test_speed.py --ignore tests/test_slides.py --ignore tests/test_site.py

bench: .setup ## print how fast training is here, beside jitted steps and PyTorch's loops (which needs the extra "bench")
	@TQDM_DISABLE=1 $(PYTHON_IN) tests/test_speed.py

homework: .setup-grade ## make the homework that is handed out (build/homework), and check it
	@$(PYTHON_IN) tools/homework release

grade: .setup-grade ## grade homework (SUBMISSIONS="folder or zip", HW=hw2 for one assignment; without a sandbox SANDBOX=off)
	@$(PYTHON_IN) tools/homework grade $(if $(SUBMISSIONS),"$(SUBMISSIONS)") $(if $(HW),--hw "$(HW)") \
	    $(if $(filter off,$(SANDBOX)),--no-sandbox) $(if $(WORKERS),--workers "$(WORKERS)")

links: .setup ## write the repository's address (pyproject.toml) and the set-up cell into all files that carry them
	@$(PYTHON_IN) tools/links.py

notebooks: .setup ## run the lessons and store their outputs (N=01_one_hot_toy for one)
	@$(QUIET) $(PYTHON_IN) tools/run_notebooks.py $(if $(N),notebooks/$(N).ipynb)

slides: ## make slides of the lessons in build/slides (N=01_one_hot_toy for one)
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/slides.py $(if $(N),notebooks/$(N).ipynb)

check-slides: ## step through all slides of build/slides in a browser and check them (needs Chromium)
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/slides_check.py

site: ## build the site in build/site from the stored outputs
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/make_site.py

pdf: ## print the lessons and the whole course in build/pdf (needs Chromium; N=01_one_hot_toy for one)
	@sh tools/setup.sh site
	@[ -f build/site/index.html ] || .venv-site/bin/python tools/make_site.py
	@.venv-site/bin/python tools/make_pdf.py $(N)

check-site: ## open every page of build/site in a browser and check it (needs Chromium)
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/site_check.py

frames: ## count the frames a second of the explorers in a slowed-down browser (needs Chromium)
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/explorer_frames.py

colab-pins: .setup ## renew tests/colab-pins.txt from Colab's own list (LIST=pip-freeze.txt)
	@$(PYTHON_IN) tools/colab_pins.py $(LIST)

check-links: ## ask every address that the site links to (needs the network)
	@sh tools/setup.sh site
	@.venv-site/bin/python tools/make_site.py --links

lock: .setup ## renew requirements.lock from the ranges in pyproject.toml
	@[ -x build/uv/bin/uv ] || $(PYTHON_IN) -m pip install --quiet --disable-pip-version-check --target build/uv uv
	@build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra lab --extra test \
	    --no-annotate --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	@build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra lab --extra test --extra grade \
	    --constraint requirements.lock --no-annotate --no-header --output-file build/all.lock pyproject.toml
	@{ echo '# What the extra "grade" needs beside requirements.lock; made by: make lock'; \
	    grep -vxFf requirements.lock build/all.lock; } >requirements-grade.lock
	@$(PYTHON_IN) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["optional-dependencies"]["site"], sep="\n")' \
	    | build/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --no-annotate --custom-compile-command "make lock" --output-file requirements-site.lock -

clean: ## remove the environments and everything that was made
	@rm -rf .venv .venv-colab .venv-site build dist .pytest_cache .hypothesis .coverage .coverage.*

.setup:
	@sh tools/setup.sh

.setup-grade:
	@sh tools/setup.sh grade

.PHONY: help lab test test-colab bench homework grade links notebooks slides check-slides site pdf check-site frames check-links colab-pins lock clean .setup .setup-grade
