"""Machine parts: rotor, bearings, coupling, fan, motor, structure."""
