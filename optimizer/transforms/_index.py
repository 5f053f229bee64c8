"""The level of each transform, so that only those in bounds are loaded. Written by docs/generate.py."""

LEVELS: dict[str, str] = {
    "cache_mounts": "EQUIVALENT",
    "clean_package_caches": "EXACT",
    "copy_over_add": "EXACT",
    "copy_with_owner": "EXACT",
    "distroless_base": "ASSUMED",
    "exec_form": "ASSUMED",
    "frozen_installs": "ASSUMED",
    "hoist_independent_steps": "EXACT",
    "join_apt_update": "EXACT",
    "merge_run": "EXACT",
    "multi_stage": "EQUIVALENT",
    "omit_dev_dependencies": "ASSUMED",
    "remove_downloads": "EXACT",
    "replace_retired_base": "ASSUMED",
    "skip_recommends": "ASSUMED",
    "split_manifest_copy": "EXACT",
    "use_slim_base": "EQUIVALENT",
    "write_dockerignore": "EQUIVALENT",
}
