"""The paths of the old gateway, so that workers written for it run unchanged. They translate, and decide nothing."""
