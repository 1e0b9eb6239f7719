"""Password hashes that other systems made: read, bounded, verified; never made here."""
