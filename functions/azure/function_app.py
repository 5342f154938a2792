"""The function app that runs one stage, or all: `BEAGLE_STAGES` says which."""

from importlib import import_module

import azure.functions as func

from beagle.settings import read_settings

app = func.FunctionApp()
for stage in read_settings().stages:
    app.register_functions(import_module(stage).blueprint)
