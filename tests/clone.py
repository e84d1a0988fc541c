"""Clone the repository with the changes that are not committed yet."""

from tools.facts import ROOT
from tools.site.fork import git


def clone_now(target):
    """Clone into a folder, and commit there the uncommitted changes of the working tree."""
    git("clone", "--quiet", "--no-hardlinks", str(ROOT), str(target), root=ROOT)
    for option in ("user.name=A", "user.email=a@example.org"):
        git("config", *option.split("="), root=target)
    changed = git("diff", "-z", "--name-only", "--no-renames", "HEAD", root=ROOT)
    added = git("ls-files", "-z", "--others", "--exclude-standard", root=ROOT)
    for name in filter(None, (changed + added).split("\0")):
        file = target / name
        if (ROOT / name).exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((ROOT / name).read_bytes())
            file.chmod((ROOT / name).stat().st_mode)
        else:
            file.unlink()
    git("add", "--all", root=target)
    git("commit", "--quiet", "--allow-empty", "--message", "now", root=target)
    return target
