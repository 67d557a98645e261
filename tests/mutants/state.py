"""What a run has found so far, on disk: an interrupted run goes on where it was."""
import json


class State:
    def __init__(self, folder, fingerprint, keep):
        """`keep`: the sites killed by a run of other sources stay killed; what is learned is not kept."""
        self._learned, self._results = folder / "learned.json", folder / "results.jsonl"
        self.killers, self.cases, self._fingerprint = {}, {}, fingerprint
        lines = self._results.read_text(encoding="utf-8").splitlines() if self._results.exists() else []
        same = lines[:1] == [fingerprint]
        for line in lines[1:]:
            record = json.loads(line)
            if "case" in record:
                self.cases.update({record["case"]: record["fails_by"]} if same else {})
            elif same or (keep and record["killer"]):
                self.killers[record["site"]] = record["killer"]
        with open(self._results, "w", encoding="utf-8") as file:
            print(fingerprint, file=file)
        for site, killer in list(self.killers.items()):
            self.add(site, killer)
        for case, site in list(self.cases.items()):
            self.add_case(case, site)

    def add_case(self, case, site):
        self.cases[case] = site
        self._append({"case": case, "fails_by": site})

    def add(self, site, killer):
        self.killers[site] = killer
        self._append({"site": site, "killer": killer})

    def _append(self, record):
        with open(self._results, "a", encoding="utf-8") as file:
            print(json.dumps(record), file=file)

    def learned(self, kind, learn):
        """What learn() returns, from disk when it was learned before from the same sources."""
        known = json.loads(self._learned.read_text(encoding="utf-8")) if self._learned.exists() else {}
        if known.get("fingerprint") != self._fingerprint:
            known = {"fingerprint": self._fingerprint}
        if kind not in known:
            known[kind] = learn()
            self._learned.write_text(json.dumps(known), encoding="utf-8")
        return known[kind]
