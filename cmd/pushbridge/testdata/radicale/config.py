class Configuration:
    """Values of sections, as radicale.config has them."""

    def __init__(self, values, schema=None):
        self._values, self._schema = values, schema or {}

    def copy(self, plugin_schema=None):
        return Configuration(self._values, plugin_schema)

    def get(self, section, option):
        if option in self._values.get(section, {}):
            return self._values[section][option]
        return self._schema[section][option]["value"]
