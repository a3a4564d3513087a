"""The hidden Markov models of phones, left to right, and the alignment graphs of utterances.

Three states a phone; five for silence, the middle three in any order.
Sources: Kaldi's `steps/train_mono.sh` for topology and scales; kaldi-hmm-gmm 1.1.4 for the code.
"""

from collections.abc import Callable, Sequence

import kaldi_hmm_gmm as khg
import kaldifst
import numpy as np
from numpy.typing import NDArray

from lbtts.text.inventory import Phones

# For each word the pronunciations that it may have, the likeliest first
Words = Sequence[Sequence[Phones]]

SILENCE = 1  # phone 1 of the model; labels count from 2
SILENCE_STATES, PHONE_STATES = 5, 3
_SELF_LOOP_SCALE = 0.1


class Topology:
    """States and transitions; it can be pickled, unlike Kaldi's own objects.

    Attributes:
        labels: of the phones, by number; 0 is epsilon and 1 silence, whose labels are "".
        number: of each label.
        transitions: Kaldi's model of them.
        tree: Kaldi's map from phones to states.
        phone: [k] the phone of each transition id, which count from 1.
        final: [k] whether it leaves its phone.
        state: [k] the state that it starts from, counted over all phones.
        first: the first state of each phone.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        """Builds the topology of silence and of the phones with these labels."""
        self.labels = ("", "", *labels)
        self.number = {label: i for i, label in enumerate(self.labels) if label}
        phones = [SILENCE, *self.number.values()]
        topology = khg.HmmTopology()
        topology.read(_written([*self.number.values()]))
        self.tree = khg.monophone_context_dependency(
            phones, topology.get_phone_to_num_pdf_classes()
        )
        self.transitions = khg.TransitionModel(self.tree, topology)
        self._arcs: dict[int, list[tuple[int, int, int]]] = {}  # phone → (from, to, transition id)
        phone_of, final, state_of = [0], [False], [0]
        for phone in phones:
            self._arcs[phone] = []
            for state, entry in enumerate(topology.topology_for_phone(phone)):
                for target, _ in entry.transitions:
                    transition = len(phone_of)
                    self._arcs[phone].append((state, target, transition))
                    phone_of.append(phone)
                    final.append(target == _states(phone))
                    state_of.append(self.transitions.transition_id_to_pdf(transition))
        assert len(phone_of) - 1 == self.transitions.num_transition_ids
        self.phone: NDArray[np.int64] = np.array(phone_of)
        self.final: NDArray[np.bool_] = np.array(final)
        self.state: NDArray[np.int64] = np.array(state_of)
        self.first = {phone: int(self.state[arcs[0][2]]) for phone, arcs in self._arcs.items()}

    def __reduce__(self) -> tuple[Callable[..., "Topology"], tuple[tuple[str, ...]]]:
        return Topology, (self.labels[2:],)

    def graph(self, words: Words) -> kaldifst.StdVectorFst:
        """The graph of the words in order, in any pronunciation, with optional silence between."""
        graph = kaldifst.StdVectorFst()
        here = graph.start = graph.add_state()
        for word in words:
            begin = self.pause(graph, here)
            here = graph.add_state()
            for phones in word:
                before = begin
                for label in phones[:-1]:
                    after = graph.add_state()
                    self.append(graph, self.number[label], before, after)
                    before = after
                self.append(graph, self.number[phones[-1]], before, here)
        graph.set_final(self.pause(graph, here), 0.0)
        self.add_costs(graph)
        return graph

    def append(self, graph: kaldifst.StdVectorFst, phone: int, begin: int, end: int) -> None:
        """Adds the states of a phone between two states of the graph."""
        inner = [graph.add_state() for _ in range(_states(phone))]
        inner.append(end)
        graph.add_arc(begin, kaldifst.StdArc(0, 0, 0.0, inner[0]))
        for source, target, transition in self._arcs[phone]:
            graph.add_arc(inner[source], kaldifst.StdArc(transition, 0, 0.0, inner[target]))

    def pause(self, graph: kaldifst.StdVectorFst, begin: int) -> int:
        """Adds an optional silence after the state `begin`; the state after it."""
        end = graph.add_state()
        self.append(graph, SILENCE, begin, end)
        graph.add_arc(begin, kaldifst.StdArc(0, 0, float(np.log(2)), end))
        return end

    def add_costs(self, graph: kaldifst.StdVectorFst) -> None:
        """Adds the costs of the transitions to the arcs of a graph."""
        khg.add_transition_probs(
            trans_model=self.transitions,
            transition_scale=1.0,
            self_loop_scale=_SELF_LOOP_SCALE,
            fst=graph,
        )


def _states(phone: int) -> int:
    return SILENCE_STATES if phone == SILENCE else PHONE_STATES


def _written(phones: Sequence[int]) -> str:
    """Kaldi's text form of the topology."""
    final = SILENCE_STATES - 1
    lines = ["<Topology>", "<TopologyEntry>", f"<ForPhones> {' '.join(map(str, phones))}"]
    lines.append("</ForPhones>")
    for k in range(PHONE_STATES):
        onward = f"<Transition> {k} 0.75 <Transition> {k + 1} 0.25"
        lines.append(f"<State> {k} <PdfClass> {k} {onward} </State>")
    lines += [f"<State> {PHONE_STATES} </State>", "</TopologyEntry>"]
    lines += ["<TopologyEntry>", f"<ForPhones> {SILENCE} </ForPhones>"]
    for k in range(final):
        targets = range(final) if k == 0 else range(1, final + 1)
        onward = " ".join(f"<Transition> {target} 0.25" for target in targets)
        lines.append(f"<State> {k} <PdfClass> {k} {onward} </State>")
    onward = f"<Transition> {final} 0.75 <Transition> {final + 1} 0.25"
    lines += [f"<State> {final} <PdfClass> {final} {onward} </State>"]
    lines += [f"<State> {final + 1} </State>", "</TopologyEntry>", "</Topology>"]
    return "\n".join(lines) + "\n"
