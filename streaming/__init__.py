"""Everything on the wire: messages, codec, bus, gateway."""
