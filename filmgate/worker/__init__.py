"""The role that makes outputs: one device, one request at a time, the engine in a process of its own."""
