/**
 * Writes an issue of Jira Cloud's REST API v3 as Markdown.
 *
 * @module
 */

/** A node of the Atlassian Document Format. */
export interface RichText {
  type: string;
  text?: string;
  attrs?: Record<string, unknown>;
  content?: RichText[];
}

/** What the export asks of `/rest/api/3/issue/{key}`. */
export interface JiraIssue {
  key: string;
  fields: {
    summary: string;
    description: RichText | null;
    issuetype: { name: string };
    status: { name: string };
    priority: { name: string } | null;
    reporter: { displayName: string } | null;
    assignee: { displayName: string } | null;
    labels: string[];
    created: string;
    updated: string;
    comment: {
      comments: {
        author: { displayName: string };
        created: string;
        body: RichText;
      }[];
    };
  };
}

function inner(node: RichText, separator: string): string {
  return (node.content ?? []).map(richText).join(separator);
}

function richText(node: RichText): string {
  switch (node.type) {
    case "text":
      return node.text ?? "";
    case "hardBreak":
      return "\n";
    case "heading":
      return `${"#".repeat(Number(node.attrs?.level ?? 1))} ${inner(node, "")}`;
    case "bulletList":
    case "orderedList":
      return inner(node, "\n");
    case "listItem":
      return `- ${inner(node, "\n  ")}`;
    case "codeBlock":
      return `\`\`\`\n${inner(node, "")}\n\`\`\``;
    case "doc":
    case "blockquote":
    case "panel":
      return inner(node, "\n\n");
    default:
      return inner(node, "");
  }
}

/** The whole issue, comments included, as one Markdown document. */
export function toMarkdown({ key, fields }: JiraIssue): string {
  const facts = [
    ["Type", fields.issuetype.name],
    ["Status", fields.status.name],
    ["Priority", fields.priority?.name],
    ["Reporter", fields.reporter?.displayName],
    ["Assignee", fields.assignee?.displayName],
    ["Labels", fields.labels.join(", ")],
    ["Created", fields.created],
    ["Updated", fields.updated],
  ];
  const comments = fields.comment.comments.map(({ author, created, body }) =>
    `### ${author.displayName}, ${created}\n\n${richText(body)}`
  );
  return [
    `# ${key}: ${fields.summary}`,
    facts.map(([name, value]) => `- ${name}: ${value || "none"}`).join("\n"),
    fields.description ? richText(fields.description) : "No description.",
    ...comments.length > 0 ? ["## Comments", ...comments] : [],
  ].join("\n\n") + "\n";
}
