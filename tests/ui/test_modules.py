"""The page's pure modules and its store, asked in the browser that runs them."""

from typing import Any

from playwright.async_api import Browser, Page

from tests.api.stage import Play


async def _ask(page: Page, url: str, script: str) -> Any:
    """What the script gives; it imports the pure modules that it asks, without the page around them."""
    await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    await page.goto(f"{url}/ui/icon.svg")
    return await page.evaluate(script)


async def test_a_diff_of_any_two_texts_gives_back_both(page: Page, url: str) -> None:
    wrong = await _ask(
        page,
        url,
        """async () => {
          const {diffLines} = await import('/ui/diff.js');
          const text = () => Array.from({length: Math.floor(Math.random() * 12)}, () => 'abc'[Math.floor(Math.random() * 3)]).join('\\n');
          for (let i = 0; i < 2000; i++) {
            const old = text(), fresh = text(), lines = diffLines(old, fresh);
            const back = (kind) => lines.filter((line) => line.kind === 'same' || line.kind === kind).map((line) => line.text).join('\\n');
            if (back('old') !== old || back('new') !== fresh) return {old, fresh, lines};
          }
          return null;
        }""",
    )

    assert wrong is None


async def test_a_diff_says_no_more_than_what_changed(page: Page, url: str) -> None:
    kinds = await _ask(
        page,
        url,
        """async () => {
          const {diffLines} = await import('/ui/diff.js');
          return diffLines('a\\nb\\nc\\nd', 'a\\nc\\nx\\nd').map(({kind, text}) => `${kind} ${text}`);
        }""",
    )

    assert kinds == ["same a", "old b", "same c", "new x", "same d"]


async def test_whatever_order_answers_come_in_the_newest_is_shown(play: Play, page: Page, url: str) -> None:
    """Cards, tasks and run views of one VTID in 500 random orders, each with repeats: one and the same end."""
    vtid = await play.run()
    tasks = [(await play.get(f"/tasks/{vtid}")).json()]
    for step in ("gather_facts", "lease", "pickup"):
        await play.tell(vtid, "step.started", step=step)
        tasks.append((await play.get(f"/tasks/{vtid}")).json())

    await page.goto(f"{url}/limits")
    ends: list[str] = await page.evaluate(
        """async (tasks) => {
          const {cellOf, put, putRun} = await import('/ui/store.js');
          const ends = new Set();
          for (let round = 0; round < 500; round++) {
            const vtid = `VTID-${90000 + round}`;
            const told = [...tasks, ...tasks.slice(0, 2)].map((task) => ({...task, vtid})).sort(() => Math.random() - 0.5);
            for (const task of told) Math.random() < 0.5 ? put(task) : (put({...task, run: null}), putRun(task.run, vtid));
            const {task, brief, run} = cellOf(vtid).peek();
            ends.add(JSON.stringify([task.position, task.status, brief.position, run.position, run.stages.map((stage) => stage.step)]));
          }
          return [...ends];
        }""",
        tasks,
    )

    newest = tasks[-1]
    assert len(ends) == 1, ends
    assert f"[{newest['position']}," in ends[0]


async def test_a_round_is_called_passed_only_by_the_run_itself(page: Page, url: str) -> None:
    """The validator sends work back without an end of its stage: that round did not pass."""
    rounds = await _ask(
        page,
        url,
        """async () => {
          const {periodsOf} = await import('/ui/run/history.js');
          const told = [['stage.started', 'WORKER'], ['stage.finished', 'WORKER'], ['stage.started', 'VALIDATOR'],
            ['stage.started', 'WORKER'], ['stage.finished', 'WORKER'], ['stage.started', 'VALIDATOR']];
          const events = told.map(([type, stage], position) => ({type, stage, position, at: `2026-01-01T00:00:0${position}Z`, data: {status: 'success'}}));
          return periodsOf(events).map(({stage, round, status}) => `${stage} ${round} ${status}`);
        }""",
    )

    assert rounds == ["WORKER 1 success", "VALIDATOR 1 not_passed", "WORKER 2 success", "VALIDATOR 2 running"]


async def test_a_long_wait_takes_a_fifth_of_the_axis_and_time_never_runs_backwards(
    page: Page, url: str
) -> None:
    places = await _ask(
        page,
        url,
        """async () => {
          const {scaleOf} = await import('/ui/run/scale.js');
          const {place, bent} = scaleOf(0, 1000, [{from: 100, to: 900}]);
          return {bent, at: [0, 50, 100, 500, 900, 1000].map((at) => Number(place(at).toFixed(3)))};
        }""",
    )

    assert places == {"bent": True, "at": [0, 0.2, 0.4, 0.5, 0.6, 1]}


async def test_the_first_hour_of_the_day_is_zero_in_every_language(browser: Browser, url: str) -> None:
    context = await browser.new_context(locale="en-US", timezone_id="Europe/Berlin")
    told = await _ask(
        await context.new_page(),
        url,
        """async () => {
          const {clockTime, local, zone} = await import('/ui/time.js');
          return [clockTime('2026-01-01T23:05:00Z'), local('2026-01-01T23:05:00Z'), zone()];
        }""",
    )
    await context.close()

    assert told == ["00:05:00", "Jan 2, 2026, 00:05:00", "Europe/Berlin"]


async def test_a_limit_is_never_told_shorter_than_it_is(page: Page, url: str) -> None:
    told = await _ask(
        page,
        url,
        """async () => {
          const {exact} = await import('/ui/time.js');
          return [0.4, 1.5, 20, 65, 90, 300, 5400, 86400, 259200].map(exact);
        }""",
    )

    assert told == ["400 ms", "1.5 s", "20 s", "1 min 5 s", "1 min 30 s", "5 min", "1 h 30 min", "1 d", "3 d"]
