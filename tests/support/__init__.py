"""What tests share: the stack they run on and ways to break it."""
