"""Sensors: wait for what another system has to do first."""
