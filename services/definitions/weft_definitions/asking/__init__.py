"""Questions to services that know more: what a definition would do, what triggers would have started."""
