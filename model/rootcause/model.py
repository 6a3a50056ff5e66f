"""The model: numbers, network and rules of one folder and one rate set, ready to answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause import compiled, diagnosis
from rootcause._version import __version__
from rootcause.care import Care, load_care
from rootcause.case import Case, load_case, parse_case
from rootcause.engine import Drawn, Engine, Part, Shape
from rootcause.errors import InvalidInputError, InvalidPriorsError, nearest
from rootcause.network import MAX_COLUMNS, to_pgmpy
from rootcause.priors import DEFAULT_RATES, Priors, load_priors, shipped_priors, shipped_sources
from rootcause.rules import Rulebook, load_rulebook
from rootcause.stakes import Stakes, load_stakes
from rootcause.structure import CAUSES, REOPERATED, between, build
from rootcause.uncertainty import Noting, draw, points
from rootcause.vocabulary import Vocabulary, load_vocabulary

if TYPE_CHECKING:
    from typing import Unpack

    from pgmpy.models import DiscreteBayesianNetwork

    from rootcause.coherence import Coherence
    from rootcause.comparison import Attribution, Comparison
    from rootcause.explanation import Explanation
    from rootcause.next_steps import NextSteps
    from rootcause.nodes import NetworkView
    from rootcause.reasoning.shapley import Sampling
    from rootcause.tables import Node
    from rootcause.together import Together

Array = NDArray[np.float64]


class _Lenient(Noting[Array]):
    """Numbers that answer for those that are not there, too."""

    def __missing__(self, _: str) -> Array:
        return np.full(1, 0.5)


def _incomplete(priors: Priors) -> list[str]:
    """Say which numbers the network asks for and lacks, and which nothing asks for."""
    noting = _Lenient(points(priors.parameters))
    for node in build():
        node.fill(noting)
    noting.noted.update(dict.fromkeys(f"reoperation.{cause}" for cause in REOPERATED))
    missing = [id_ for id_ in noting.noted if id_ not in priors.parameters]
    idle = [id_ for id_ in priors.parameters if id_ not in noting.noted]
    problems = [
        f"{priors.folder.name}: must have the number {id_}, got none for rates {priors.rates}" for id_ in missing
    ]
    problems += [
        f"{priors.folder.name}: every number must have a place in the network, got {id_}{nearest(id_, noting.noted)}"
        for id_ in idle
    ]
    return problems


def _checked(case: Mapping[str, Any] | Case) -> Case:
    return case if isinstance(case, Case) else parse_case(case)


class Model:
    """A network with its numbers. Its methods change nothing and may be called from several threads.

    Attributes:
        priors: The numbers, validated, with their sources.
        vocabulary: Contexts, causes and findings.
        rulebook: Red-flag rules and advice.
        stakes: What hangs on each cause, and what each examination takes.
        care: Work-up, management and prognosis of each cause.
        engine: Exact inference at the points of all numbers.
    """

    def __init__(
        self, priors: Priors, rulebook: Rulebook, stakes: Stakes | None = None, care: Care | None = None
    ) -> None:
        """Keep the numbers; tables are made when they are first needed.

        Args:
            priors: The numbers.
            rulebook: Rules and advice.
            stakes: ``None`` takes those of the numbers' folder.
            care: As ``stakes``.
        """
        self.priors = priors
        self.rulebook = rulebook
        self.stakes = stakes or load_stakes(priors.folder, priors.sources)
        self.care = care or load_care(priors.folder, priors.sources)
        self.vocabulary: Vocabulary = load_vocabulary()
        self._points = points(priors.parameters)
        self._nodes: dict[str, Node] = {node.name: node for node in build()}
        states = {name: node.states for name, node in self._nodes.items()}
        parents = {name: node.parents for name, node in self._nodes.items()}
        self._table = cache(self._table_now)
        self._numbers_of = cache(self._numbers_of_now)
        self._before = lru_cache(maxsize=64)(self._before_now)
        links = frozenset(name for name, node in self._nodes.items() if node.link)
        self.engine = Engine(Shape(states, parents, links), self._table)

    @property
    def version(self) -> str:
        """Version of the software."""
        return __version__

    @property
    def digest(self) -> str:
        """sha256, in hex, over every number, rule and piece of advice, and the choice of the rate set."""
        return self.priors.digest

    @property
    def rates(self) -> str:
        """The rate set: ``seed`` or ``literature``."""
        return self.priors.rates

    @cached_property
    def network(self) -> "DiscreteBayesianNetwork":
        """The network as pgmpy knows it, for other tools; its inference is not used here."""
        return to_pgmpy(build(MAX_COLUMNS), self._points)

    def diagnose(self, case: Mapping[str, Any] | Case, *, intervals: bool = True) -> diagnosis.Answer:
        """Return the posterior of every cause, of none of them, and what goes with it.

        Args:
            case: ``{"findings": {...}}`` or the table of findings itself; values as in ``rootcause.case``.
            intervals: Whether to draw all numbers for the 90 % intervals; without them the answer is much faster.

        Raises:
            InvalidInputError: If the case breaks a rule.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        checked = _checked(case)
        operation = checked.observations.get("procedure")
        before = self._before(tuple(operation.items()) if isinstance(operation, Mapping) else operation)
        return diagnosis.answer(
            engine=self.engine,
            data=diagnosis.Data(self.rulebook, self.stakes, self.care),
            case=checked,
            before=before,
            point=diagnosis.posterior(self.engine, checked),  # refuses what cannot be, before any draw
            draws=self.draws(checked) if intervals else None,
            model={"version": self.version, "digest": self.digest, "rates": self.rates},
        )

    def explain(
        self, case: Mapping[str, Any] | Case, cause: str | None = None, **sampling: "Unpack[Sampling]"
    ) -> "Explanation":
        """Return which findings speak for and against a cause, and through what.

        Args:
            case: As for ``diagnose``.
            cause: A cause, or ``none``; left out: the most probable of the listed ones.
            **sampling: Up to how many findings the order-free sheet is exact (``exact_up_to``), how many random orders
                (``samples``) it is made of above that, and their ``seed``.

        Raises:
            InvalidInputError: If the case breaks a rule, or the cause is unknown.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        from rootcause.explanation import explain

        checked = _checked(case)
        return explain(self.engine, checked, self._leading(checked) if cause is None else cause, **sampling)

    def coherence(self, case: Mapping[str, Any] | Case, *, simulated: int | None = None) -> "Coherence":
        """Return how well the findings fit together and the model.

        Args:
            case: As for ``diagnose``.
            simulated: How many patients to simulate for comparison; 0 leaves that out, ``None`` takes the usual number.

        Raises:
            InvalidInputError: If the case breaks a rule.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        from rootcause.coherence import SIMULATED, coherence

        checked = _checked(case)
        none = float(diagnosis.posterior(self.engine, checked).none[0])
        signs = [sign for flag in self.rulebook.red_flags(checked) for sign in flag.signs]
        patients = SIMULATED if simulated is None else simulated
        return coherence(self.engine, checked, none, simulated=patients, flagged=signs)

    def together(self, case: Mapping[str, Any] | Case) -> "Together":
        """Return the most probable combinations of causes, and which of them explain each other away.

        Args:
            case: As for ``diagnose``.

        Raises:
            InvalidInputError: If the case breaks a rule.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        from rootcause.together import together

        return together(self.engine, _checked(case))

    def next(self, case: Mapping[str, Any] | Case, *, ahead: int = 1, stakes: Stakes | None = None) -> "NextSteps":
        """Return what to examine next, and whether anything left could still change what to do.

        Args:
            case: As for ``diagnose``.
            ahead: 1, or 2 for pairs of findings as well.
            stakes: What hangs on each cause; ``None`` takes those of the model.

        Raises:
            InvalidInputError: If the case breaks a rule, or ``ahead`` is neither.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        from rootcause.next_steps import next_steps

        checked = _checked(case)
        return next_steps(self.engine, checked, self.stakes_of(checked, stakes), ahead=ahead)

    def stakes_of(self, case: Case, stakes: Stakes | None = None) -> Stakes:
        """Return the stakes of a case: acts that would soothe under its red flags are laid to rest.

        Args:
            case: What was found.
            stakes: Which to take; ``None`` takes those of the model.
        """
        level = self.rulebook.urgency_of(self.rulebook.red_flags(case)).level
        return (stakes or self.stakes).under(level)

    def compare(self, before: Mapping[str, Any] | Case, after: Mapping[str, Any] | Case) -> "Comparison":
        """Return the answers to two moments, or two patients, side by side.

        Args:
            before: As for ``diagnose``.
            after: As for ``diagnose``.

        Raises:
            InvalidInputError: If a case breaks a rule.
            ImpossibleEvidenceError: If the findings of one cannot hold together.
        """
        from rootcause.comparison import compare

        return compare(self.engine, _checked(before), _checked(after))

    def attribute(
        self,
        before: Mapping[str, Any] | Case,
        after: Mapping[str, Any] | Case,
        cause: str,
        **sampling: "Unpack[Sampling]",
    ) -> "Attribution":
        """Return how much each difference between two cases carries of the change of one cause.

        Args:
            before: As for ``diagnose``.
            after: As for ``diagnose``.
            cause: A cause.
            **sampling: As for ``explain``, of the differences.

        Raises:
            InvalidInputError: If a case breaks a rule, or the cause is unknown.
            ImpossibleEvidenceError: If the findings of one cannot hold together.
        """
        from rootcause.comparison import attribute

        self._known_cause(cause)
        return attribute(self.engine, _checked(before), _checked(after), cause, **sampling)

    def view(self, case: Mapping[str, Any] | Case, focus: str | None = None) -> "NetworkView":
        """Return the network of a patient as it is to be drawn: causes, lesions and findings with their posteriors.

        Args:
            case: As for ``diagnose``.
            focus: A cause, lesion or finding that the drawing is about; ``None`` draws all.

        Raises:
            InvalidInputError: If the case breaks a rule, or the focus is unknown.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        from rootcause.nodes import view

        return view(self.engine, _checked(case), focus)

    def _leading(self, case: Case) -> str:
        found = self.engine.marginals(self.engine.weights(case.observations), CAUSES).posterior
        return max(CAUSES, key=lambda cause: float(found[cause][1, 0]))

    def draws(self, case: Case, n: int = diagnosis.DRAWS, seed: int = diagnosis.SEED) -> diagnosis.Posterior:
        """Return the posteriors of a case for draws of all numbers that it depends on.

        Args:
            case: What was found.
            n: Number of draws.
            seed: Seed; the same seed gives the same draws.

        Raises:
            ImpossibleEvidenceError: If the findings have probability zero.
        """
        relevant = self.engine.relevant([*case.observations, *self.vocabulary.causes])
        wanted = dict.fromkeys(id_ for name in relevant for id_ in self._numbers_of(name))
        numbers = self._points | draw(self.priors.parameters, wanted, n, seed)
        nodes = self._nodes
        tables = Drawn(lambda name: nodes[name].fill(numbers), n, lambda name: nodes[name].first_row(numbers))
        return diagnosis.posterior(self.engine, case, tables)

    def gradient(self, case: Mapping[str, Any] | Case, cause: str) -> dict[str, float]:
        """Return the derivative of the posterior of a cause by every number, in one backward pass (Darwiche 2003).

        Each number is taken as free: of shares that sum to one, the others stay as they are.

        Args:
            case: As for ``diagnose``.
            cause: A cause.

        Returns:
            d P(cause | findings) / d number by id, for every number that the answer hangs on.

        Raises:
            InvalidInputError: If the case breaks a rule, or the cause is unknown.
            ImpossibleEvidenceError: If the findings cannot hold together.
        """
        self._known_cause(cause)
        checked = _checked(case)
        generator = np.random.default_rng(0)
        some = {id_: generator.uniform(0.2, 0.8, 2) for id_ in self._points}  # structure hangs on no number
        structure = Drawn(cache(lambda name: self._nodes[name].fill(some)), 2)
        weights = self.engine.weights(checked.observations)
        result: dict[str, float] = {}
        for part, slopes in self.engine.slopes(weights, cause, "present", structure):
            if not slopes.any():
                continue
            ids = self._numbers_of(part.node)
            steps = slopes @ (self._ends(part, ids, 1.0) - self._ends(part, ids, 0.0)) if ids else np.zeros(0)
            for id_, step in zip(ids, steps.tolist(), strict=True):
                result[id_] = result.get(id_, 0.0) + step
        return {id_: result[id_] for id_ in self.priors.parameters if id_ in result}

    def _ends(self, part: Part, ids: Sequence[str], value: float) -> Array:
        """Return the entries of a table with one number after another at 0 or 1: every entry is a line in each number.

        Returns:
            Shape ``(entries, numbers)``.
        """
        numbers = {id_: np.repeat(self._points[id_], len(ids)) for id_ in ids}
        for column, id_ in enumerate(ids):
            numbers[id_][column] = value
        found = part.entries(lambda name: self._nodes[name].fill(self._points | numbers))
        return np.broadcast_to(found, (len(found), len(ids)))

    def parameters_for(self, cause: str, findings: Iterable[str] = ()) -> list[str]:
        """Return the ids of the numbers that stand between a cause and findings.

        They are those of its rate and onset, of every link on a way from it to one of the findings, and of the leaks
        of the findings and lesions on that way.

        Raises:
            InvalidInputError: If the cause is unknown.
        """
        self._known_cause(cause)
        paths = between(self._nodes.values(), cause, set(findings))
        found = dict.fromkeys(id_ for name in paths for id_ in self._numbers_of(name))
        return [id_ for id_ in self.priors.parameters if id_ in found]

    def _known_cause(self, cause: str) -> None:
        if cause not in self.vocabulary.causes:
            msg = f"cause: must be a known cause, got {cause!r}{nearest(cause, self.vocabulary.causes)}"
            raise InvalidInputError(msg)

    def _table_now(self, name: str) -> Array:
        table = self._nodes[name].fill(self._points)
        table.setflags(write=False)
        return table

    def _numbers_of_now(self, name: str) -> tuple[str, ...]:
        noting = Noting(self._points)
        self._nodes[name].fill(noting)
        return tuple(noting.noted)

    def _before_now(self, operation: Any) -> diagnosis.Before:  # noqa: ANN401 - an observation, made hashable
        observed = dict(operation) if isinstance(operation, tuple) and isinstance(operation[0], tuple) else operation
        case = parse_case({} if observed is None else {"procedure": observed})
        return diagnosis.priors(self.engine, case)


def _numbers(priors: str | Path | Traversable | None, rates: str) -> tuple[Priors, list[str]]:
    """Return the numbers of a folder, and what they lack; what was found right before is not validated again."""
    root = shipped_priors() if priors is None else Path(priors) if isinstance(priors, str) else priors
    try:
        key = compiled.key_of(root, rates)
    except OSError:
        key = None  # the reader says what is wrong
    found = compiled.read(key, root) if key else None
    if found is not None:
        return found, []
    numbers = load_priors(root, rates)
    problems = _incomplete(numbers)
    if key and not problems:
        compiled.write(key, numbers)
    return numbers, problems


def load_model(priors: str | Path | Traversable | None = None, rates: str = DEFAULT_RATES) -> Model:
    """Load a model.

    Args:
        priors: A folder of numbers; ``None`` is the one that the package ships.
        rates: The rate set, ``seed`` or ``literature``.

    Raises:
        InvalidPriorsError: Naming every problem of the folder at once.
        InvalidInputError: If ``rates`` is unknown.
    """
    numbers, problems = _numbers(priors, rates)
    folder, sources = numbers.folder, numbers.sources
    if not (folder / "rules.toml").is_file() and not (folder / "advice.toml").is_file():
        folder = shipped_priors()  # rules and advice are no numbers: a folder may do without its own
        sources = shipped_sources()
    try:
        rulebook = load_rulebook(folder, sources)
    except InvalidPriorsError as error:
        problems += error.problems
    loaded: list[Any] = []
    for load in (load_stakes, load_care):
        try:
            loaded.append(load(numbers.folder, numbers.sources))
        except InvalidPriorsError as error:
            problems += error.problems
    if problems:
        raise InvalidPriorsError(problems)
    return Model(numbers, rulebook, *loaded)


@dataclass(frozen=True, slots=True)
class ExampleCase:
    """A case that the package ships, with its story.

    Attributes:
        id: Name of its file without the ending.
        title: A few words.
        story: What happened, in a paragraph.
        invented: Whether no such patient is described anywhere.
        findings: In the order in which they were found.
        teaching: For some findings, what to notice.
    """

    id: str
    title: str
    story: str
    invented: bool
    findings: Mapping[str, Any]
    teaching: Mapping[str, str]


def shipped_cases() -> list[ExampleCase]:
    """Return the cases that the package ships."""
    folder = shipped_priors() / "cases"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return [_example(Path(str(file))) for file in files]


def _example(path: Path) -> ExampleCase:
    data = load_case(path)
    return ExampleCase(
        id=path.stem,
        title=data["title"],
        story=data["story"],
        invented=data["invented"],
        findings=data["findings"],
        teaching=data.get("teaching", {}),
    )
