"""Speaking over HTTP: a page, and OpenAI's interface of speech. Needs the extra `serve`."""
