//! What a live technique makes, and how it is taken away again.

use serde_json::{Value as Json, json};

use crate::call::Refused;
use crate::iam::{Iam, is_code, text};

/// What was made, in the order of its making.
enum Made {
    User(String),
    Group(String),
    Role(String),
    Policy(String),
}

/// Things of one technique, made by the operator's key.
pub(super) struct Lab<'o> {
    operator: &'o Iam,
    account: &'o str,
    caller: String,
    partition: String,
    prefix: String,
    /// What bounds every attacker.
    boundary: Option<&'o str>,
    made: Vec<Made>,
}

/// The user who takes the steps.
pub(super) const ATTACKER: &str = "attacker";

/// A policy that allows some actions on one resource.
pub(super) fn document(actions: &[&str], resource: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resource});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

impl<'o> Lab<'o> {
    /// Nothing is made yet. Names begin with the technique's id, so that leftovers can be told.
    pub(super) fn new(operator: &'o Iam, account: &'o str, caller: &Json, id: &str) -> Self {
        let arn = text(caller, "Arn");
        Self {
            operator,
            account,
            caller: arn.to_owned(),
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            prefix: format!("bailiwick-attack-{}", id.to_ascii_lowercase()),
            boundary: None,
            made: Vec::new(),
        }
    }

    /// With a permissions boundary for every attacker.
    #[must_use]
    pub(super) fn bounded(mut self, boundary: Option<&'o str>) -> Self {
        self.boundary = boundary;
        self
    }

    /// Whether attackers have a boundary that was asked for.
    pub(super) fn is_bounded(&self) -> bool {
        self.boundary.is_some()
    }

    pub(super) fn call(&self, name: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Json> {
        self.operator.call(name, parameters)
    }

    fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }

    pub(super) fn arn(&self, kind: &str, part: &str) -> String {
        format!("arn:{}:iam::{}:{kind}/{}", self.partition, self.account, self.name(part))
    }

    /// The account as a principal.
    pub(super) fn root(&self) -> String {
        format!("arn:{}:iam::{}:root", self.partition, self.account)
    }

    /// Who makes all this.
    pub(super) fn operator_arn(&self) -> &str {
        &self.caller
    }

    /// Something that is not there yet. What somebody else has made under the name stays untouched. A
    /// call without an answer may have made it.
    fn make(
        &mut self,
        operation: &str,
        parameters: &[(&str, &str)],
        made: Made,
    ) -> anyhow::Result<Json> {
        self.made.push(made);
        self.call(operation, parameters).inspect_err(|error| {
            if error.is::<Refused>() {
                self.made.pop();
            }
        })
    }

    pub(super) fn user(&mut self, part: &str) -> anyhow::Result<String> {
        let name = self.name(part);
        let mut parameters = vec![("UserName", name.as_str())];
        if part == ATTACKER {
            parameters.extend(self.boundary.map(|boundary| ("PermissionsBoundary", boundary)));
        }
        self.make("CreateUser", &parameters, Made::User(name.clone()))?;
        Ok(name)
    }

    pub(super) fn group(&mut self, part: &str) -> anyhow::Result<String> {
        let name = self.name(part);
        self.make("CreateGroup", &[("GroupName", &name)], Made::Group(name.clone()))?;
        Ok(name)
    }

    pub(super) fn role(&mut self, part: &str, trusted: &str) -> anyhow::Result<String> {
        let name = self.name(part);
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}]});
        let trust = trust.to_string();
        let parameters =
            [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", trust.as_str())];
        self.make("CreateRole", &parameters, Made::Role(name.clone()))?;
        Ok(name)
    }

    /// A managed policy; answers its ARN.
    pub(super) fn policy(&mut self, part: &str, document: &str) -> anyhow::Result<String> {
        let (name, arn) = (self.name(part), self.arn("policy", part));
        let parameters = [("PolicyName", name.as_str()), ("PolicyDocument", document)];
        self.make("CreatePolicy", &parameters, Made::Policy(arn.clone()))?;
        Ok(arn)
    }

    pub(super) fn put_user(&self, name: &str, document: &str) -> anyhow::Result<Json> {
        let of = ("UserName", name);
        self.call("PutUserPolicy", &[of, ("PolicyName", "own"), ("PolicyDocument", document)])
    }

    pub(super) fn put_group(&self, name: &str, document: &str) -> anyhow::Result<Json> {
        let of = ("GroupName", name);
        self.call("PutGroupPolicy", &[of, ("PolicyName", "own"), ("PolicyDocument", document)])
    }

    pub(super) fn put_role(&self, name: &str, document: &str) -> anyhow::Result<Json> {
        let of = ("RoleName", name);
        self.call("PutRolePolicy", &[of, ("PolicyName", "own"), ("PolicyDocument", document)])
    }

    /// Takes all away, last things first; answers what is left.
    pub(super) fn clear(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        while let Some(made) = self.made.pop() {
            let (name, done) = match &made {
                Made::User(name) => (name, self.clear_user(name)),
                Made::Group(name) => (name, self.clear_group(name)),
                Made::Role(name) => (name, self.clear_role(name)),
                Made::Policy(arn) => (arn, self.clear_policy(arn)),
            };
            match done {
                Err(error) if !is_code(&error, "NoSuchEntity") => {
                    left.push(format!("{name} ({error:#})"));
                }
                _ => {}
            }
        }
        left
    }

    /// A step of clearing: what is gone already is fine.
    fn gone(&self, name: &str, parameters: &[(&str, &str)]) -> anyhow::Result<()> {
        match self.call(name, parameters) {
            Ok(_) => Ok(()),
            Err(error) if is_code(&error, "NoSuchEntity") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Inline and attached policies of a `User`, `Group` or `Role`.
    fn clear_policies(&self, kind: &str, name: &str) -> anyhow::Result<()> {
        let key = format!("{kind}Name");
        let of = (key.as_str(), name);
        for policy in self.operator.list(&format!("List{kind}Policies"), "PolicyNames", &[of])? {
            let policy = policy.as_str().unwrap_or_default();
            self.gone(&format!("Delete{kind}Policy"), &[of, ("PolicyName", policy)])?;
        }
        let attached = format!("ListAttached{kind}Policies");
        for policy in self.operator.list(&attached, "AttachedPolicies", &[of])? {
            let arn = text(&policy, "PolicyArn");
            self.gone(&format!("Detach{kind}Policy"), &[of, ("PolicyArn", arn)])?;
        }
        Ok(())
    }

    fn clear_user(&self, name: &str) -> anyhow::Result<()> {
        let of = ("UserName", name);
        for key in self.operator.list("ListAccessKeys", "AccessKeyMetadata", &[of])? {
            self.gone("DeleteAccessKey", &[of, ("AccessKeyId", text(&key, "AccessKeyId"))])?;
        }
        self.gone("DeleteLoginProfile", &[of])?;
        for group in self.operator.list("ListGroupsForUser", "Groups", &[of])? {
            self.gone("RemoveUserFromGroup", &[of, ("GroupName", text(&group, "GroupName"))])?;
        }
        self.gone("DeleteUserPermissionsBoundary", &[of])?;
        self.clear_policies("User", name)?;
        self.gone("DeleteUser", &[of])
    }

    fn clear_group(&self, name: &str) -> anyhow::Result<()> {
        let of = ("GroupName", name);
        for user in self.operator.list("GetGroup", "Users", &[of])? {
            self.gone("RemoveUserFromGroup", &[of, ("UserName", text(&user, "UserName"))])?;
        }
        self.clear_policies("Group", name)?;
        self.gone("DeleteGroup", &[of])
    }

    fn clear_role(&self, name: &str) -> anyhow::Result<()> {
        self.clear_policies("Role", name)?;
        self.gone("DeleteRole", &[("RoleName", name)])
    }

    /// A policy may still hang on a user that goes later: that one loses it here.
    fn clear_policy(&self, arn: &str) -> anyhow::Result<()> {
        let of = ("PolicyArn", arn);
        let attached = [of, ("PolicyUsageFilter", "PermissionsPolicy")];
        for user in self.operator.list("ListEntitiesForPolicy", "PolicyUsers", &attached)? {
            let name = ("UserName", text(&user, "UserName"));
            self.gone("DetachUserPolicy", &[name, of])?;
        }
        let bounded = [of, ("PolicyUsageFilter", "PermissionsBoundary")];
        for user in self.operator.list("ListEntitiesForPolicy", "PolicyUsers", &bounded)? {
            let name = ("UserName", text(&user, "UserName"));
            self.gone("DeleteUserPermissionsBoundary", &[name])?;
        }
        for version in self.operator.list("ListPolicyVersions", "Versions", &[of])? {
            if version.get("IsDefaultVersion") != Some(&Json::Bool(true)) {
                self.gone(
                    "DeletePolicyVersion",
                    &[of, ("VersionId", text(&version, "VersionId"))],
                )?;
            }
        }
        self.gone("DeletePolicy", &[of])
    }
}

/// Also where the play came to nothing.
impl Drop for Lab<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
