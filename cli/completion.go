package cli

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"haldane/admin"
	"haldane/rollout"
)

// completionPatience is how long somebody who has pressed the tab key waits for names.
const completionPatience = 500 * time.Millisecond

// completion is what a shell is told of an argument or the value of a flag.
type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// lister lists what may be written, given the arguments before it. What goes wrong is not told: nobody could read it.
type lister func(ctx context.Context, api *client, before []string) []string

// completeNames lets shells complete the names that the running Haldane knows.
func (c *connection) completeNames(root *cobra.Command) {
	arguments := map[string][]lister{
		"status": {rolloutNames}, "watch": {rolloutNames}, "history": {rolloutNames}, "start": {rolloutNames}, "promote": {rolloutNames},
		"pause": {rolloutNames}, "resume": {rolloutNames}, "abort": {rolloutNames}, "retry": {rolloutNames}, "set-weight": {rolloutNames},
		"override": {rolloutNames, variantNames}, "tick": {rolloutNames, openItems}, "report": {endedNames}, "replay": {endedNames},
	}
	flags := map[string]lister{"policy": policyNames, "service": rolloutNames}
	for _, command := range root.Commands() {
		if list, is := arguments[command.Name()]; is {
			command.ValidArgsFunction = c.arguments(list)
		}
		for name, list := range flags {
			if command.Flags().Lookup(name) != nil {
				_ = command.RegisterFlagCompletionFunc(name, c.value(list)) // it fails for flags that are not there
			}
		}
	}
	_ = root.RegisterFlagCompletionFunc("output", words(formatTable, formatJSON, formatYAML))
	_ = root.RegisterFlagCompletionFunc("context", c.contextNames)
}

// words are always the same.
func words(list ...string) completion {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

// arguments has a lister for each of them.
func (c *connection) arguments(lists []lister) completion {
	return func(command *cobra.Command, before []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(before) >= len(lists) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return c.known(command.Context(), lists[len(before)], before), cobra.ShellCompDirectiveNoFileComp
	}
}

// value is that of a flag, whatever the arguments are.
func (c *connection) value(list lister) completion {
	return func(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.known(command.Context(), list, nil), cobra.ShellCompDirectiveNoFileComp
	}
}

// known asks the running Haldane, shortly.
func (c *connection) known(ctx context.Context, list lister, before []string) []string {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	api, err := c.open()
	if err != nil {
		return nil
	}
	defer api.close()
	return list(ctx, api, before)
}

// fetch is one answer; false when there is none.
func fetch[T any](ctx context.Context, api *client, path string) (content T, ok bool) {
	answer, err := api.get(ctx, path)
	ok = err == nil && api.decode(answer, &content) == nil
	return content, ok
}

// rolloutNames are the services that have a rollout.
func rolloutNames(ctx context.Context, api *client, _ []string) (names []string) {
	list, _ := fetch[rolloutList](ctx, api, "/api/v1/rollouts")
	for i := range list.Rollouts {
		v := &list.Rollouts[i]
		names = append(names, cobra.CompletionWithDesc(v.Service, printable(phase(*v)+", "+v.Stable+" -> "+v.Canary)))
	}
	return names
}

// variantNames are those of the service before.
func variantNames(ctx context.Context, api *client, before []string) (names []string) {
	service, _ := fetch[admin.Service](ctx, api, "/api/v1/services/"+url.PathEscape(before[0]))
	for i := range service.Variants {
		names = append(names, service.Variants[i].Name)
	}
	return names
}

// openItems are the items of the service's checklist that are not done, by their number.
func openItems(ctx context.Context, api *client, before []string) (items []string) {
	view, _ := fetch[rollout.View](ctx, api, rolloutPath(before[0], ""))
	for i, item := range view.Gates.Checklist {
		if !item.Done {
			items = append(items, cobra.CompletionWithDesc(strconv.Itoa(i+1), printable(item.Item)))
		}
	}
	return items
}

// endedNames are the rollouts that have ended, and their services.
func endedNames(ctx context.Context, api *client, _ []string) []string {
	list, _ := fetch[admin.History](ctx, api, "/api/v1/history")
	services := map[string]bool{}
	var names []string
	for i := range list.Ended {
		s := &list.Ended[i]
		names = append(names, cobra.CompletionWithDesc(s.ID, printable(s.Service+" "+s.Canary+" "+string(s.Result))))
		services[s.Service] = true
	}
	return append(slices.Sorted(maps.Keys(services)), names...)
}

// policyNames are those of the configuration in force.
func policyNames(ctx context.Context, api *client, _ []string) []string {
	state, _ := fetch[admin.Configuration](ctx, api, "/api/v1/config")
	tree, err := parseTree(state.Effective)
	if err != nil {
		return nil
	}
	policies, _ := tree["policies"].(map[string]any)
	return slices.Sorted(maps.Keys(policies))
}

// contextNames are the named connections.
func (c *connection) contextNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := readContexts(c.env)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return all.names(), cobra.ShellCompDirectiveNoFileComp
}
