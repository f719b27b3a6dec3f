"""How scenes are observed: protocols, blur and sampling, camera responses, noise, conditions."""
