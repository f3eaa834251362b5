"""Programs whose end does not depend on the order of what happens, played while everything happens to them that must not matter."""
