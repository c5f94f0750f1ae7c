//! The 107 ways by which a principal gains more than it was given, as data.
//!
//! A row is a set of actions; how each class of row is judged stands in the modules of the classes.
//! The rows of one class differ only in their actions and in the services that run under a role.

/// The number of a path, printed as `ESC-001`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PathId(pub u8);

impl std::fmt::Display for PathId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ESC-{:03}", self.0)
    }
}

impl serde::Serialize for PathId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a path gains, and what it takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The principal gives policies to itself, or takes a limit of its own away.
    SelfEscalation,
    /// The principal becomes another user or role.
    PrincipalAccess,
    /// The principal hands a role to a service and has its own code run there.
    NewPassrole,
    /// The principal takes over something that already runs under a role.
    ExistingPassrole,
    /// The principal changes permission sets of the organization's directory.
    Directory,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number.
    pub id: PathId,
    /// Its class.
    pub class: Class,
    /// The actions that it takes, all of them.
    pub actions: &'static [&'static str],
    /// The services under whose name the code runs with the role: principals of its trust policy and
    /// values of `iam:PassedToService`, any one of them.
    pub services: &'static [&'static str],
    /// What already runs under a role, where an export cannot show it.
    pub carrier: Option<&'static str>,
}

/// The row of a number.
pub fn row(id: PathId) -> Option<&'static Row> {
    ROWS.get(usize::from(id.0).checked_sub(1)?)
}

/// All rows, by number.
pub const ROWS: &[Row] = &[
    Row {
        id: PathId(1),
        class: Class::SelfEscalation,
        actions: &["iam:AddUserToGroup"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(2),
        class: Class::SelfEscalation,
        actions: &["iam:AttachGroupPolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(3),
        class: Class::SelfEscalation,
        actions: &["iam:AttachRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(4),
        class: Class::SelfEscalation,
        actions: &["iam:AttachUserPolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(5),
        class: Class::SelfEscalation,
        actions: &["iam:CreatePolicyVersion"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(6),
        class: Class::SelfEscalation,
        actions: &["iam:DeleteRolePermissionsBoundary", "sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(7),
        class: Class::SelfEscalation,
        actions: &["iam:DeleteUserPermissionsBoundary"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(8),
        class: Class::SelfEscalation,
        actions: &["iam:PutGroupPolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(9),
        class: Class::SelfEscalation,
        actions: &["iam:PutRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(10),
        class: Class::SelfEscalation,
        actions: &["iam:PutUserPolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(11),
        class: Class::SelfEscalation,
        actions: &["iam:SetDefaultPolicyVersion"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(12),
        class: Class::PrincipalAccess,
        actions: &["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(13),
        class: Class::PrincipalAccess,
        actions: &["iam:AttachRolePolicy", "sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(14),
        class: Class::PrincipalAccess,
        actions: &["iam:AttachUserPolicy", "iam:CreateAccessKey"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(15),
        class: Class::PrincipalAccess,
        actions: &["iam:CreateAccessKey"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(16),
        class: Class::PrincipalAccess,
        actions: &["iam:CreateAccessKey", "iam:DeleteAccessKey"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(17),
        class: Class::PrincipalAccess,
        actions: &["iam:CreateAccessKey", "iam:PutUserPolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(18),
        class: Class::PrincipalAccess,
        actions: &["iam:CreateLoginProfile"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(19),
        class: Class::PrincipalAccess,
        actions: &["iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(20),
        class: Class::PrincipalAccess,
        actions: &["iam:CreatePolicyVersion", "sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(21),
        class: Class::PrincipalAccess,
        actions: &["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(22),
        class: Class::PrincipalAccess,
        actions: &["iam:PutRolePolicy", "sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(23),
        class: Class::PrincipalAccess,
        actions: &["iam:UpdateAssumeRolePolicy"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(24),
        class: Class::PrincipalAccess,
        actions: &["iam:UpdateAssumeRolePolicy", "sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(25),
        class: Class::PrincipalAccess,
        actions: &["iam:UpdateLoginProfile"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(26),
        class: Class::PrincipalAccess,
        actions: &["sts:AssumeRole"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(27),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "apprunner:CreateService"],
        services: &[
            "tasks.apprunner.amazonaws.com",
            "apprunner.amazonaws.com",
            "build.apprunner.amazonaws.com",
        ],
        carrier: None,
    },
    Row {
        id: PathId(28),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:CreateLaunchConfiguration",
        ],
        services: &["ec2.amazonaws.com", "autoscaling.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(29),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "autoscaling:CreateLaunchConfiguration",
            "autoscaling:UpdateAutoScalingGroup",
        ],
        services: &["ec2.amazonaws.com", "autoscaling.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(30),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "batch:RegisterJobDefinition", "batch:SubmitJob"],
        services: &["ecs-tasks.amazonaws.com", "batch.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(31),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "bedrock-agentcore:ConnectBrowserAutomationStream",
            "bedrock-agentcore:CreateBrowser",
            "bedrock-agentcore:StartBrowserSession",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(32),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "bedrock-agentcore:CreateAgentRuntime",
            "bedrock-agentcore:CreateAgentRuntimeEndpoint",
            "bedrock-agentcore:CreateHarness",
            "bedrock-agentcore:CreateWorkloadIdentity",
            "bedrock-agentcore:GetAgentRuntime",
            "bedrock-agentcore:InvokeAgentRuntimeCommand",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(33),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "bedrock-agentcore:CreateAgentRuntime",
            "bedrock-agentcore:CreateAgentRuntimeEndpoint",
            "bedrock-agentcore:CreateWorkloadIdentity",
            "bedrock-agentcore:InvokeAgentRuntimeCommand",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(34),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "bedrock-agentcore:CreateCodeInterpreter",
            "bedrock-agentcore:InvokeCodeInterpreter",
            "bedrock-agentcore:StartCodeInterpreterSession",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(35),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "braket:CreateJob"],
        services: &["braket.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(36),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "cloudformation:CreateStack"],
        services: &["cloudformation.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(37),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "cloudformation:CreateStackInstances",
            "cloudformation:CreateStackSet",
        ],
        services: &["cloudformation.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(38),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "cloudformation:UpdateStackSet"],
        services: &["cloudformation.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(39),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"],
        services: &["codebuild.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(40),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuildBatch"],
        services: &["codebuild.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(41),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "codebuild:StartBuild", "codebuild:UpdateProject"],
        services: &["codebuild.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(42),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "codestar:CreateProject"],
        services: &["codestar.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(43),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "cognito-identity:SetIdentityPoolRoles"],
        services: &["cognito-identity.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(44),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "datapipeline:ActivatePipeline",
            "datapipeline:CreatePipeline",
            "datapipeline:PutPipelineDefinition",
        ],
        services: &["datapipeline.amazonaws.com", "ec2.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(45),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "datapipeline:CreatePipeline"],
        services: &["datapipeline.amazonaws.com", "ec2.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(46),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "dynamodb:CreateTable",
            "dynamodb:PutItem",
            "lambda:CreateEventSourceMapping",
            "lambda:CreateFunction",
        ],
        services: &["lambda.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(47),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ec2:AssociateIamInstanceProfile"],
        services: &["ec2.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(48),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ec2:RequestSpotInstances"],
        services: &["ec2.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(49),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ec2:RunInstances"],
        services: &["ec2.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(50),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "ecs:CreateCluster",
            "ecs:CreateService",
            "ecs:RegisterTaskDefinition",
        ],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(51),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "ecs:CreateCluster",
            "ecs:RegisterTaskDefinition",
            "ecs:RunTask",
        ],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(52),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ecs:CreateService", "ecs:RegisterTaskDefinition"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(53),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "ecs:DeregisterContainerInstance",
            "ecs:RegisterContainerInstance",
            "ecs:StartTask",
        ],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(54),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(55),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:StartTask"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(56),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ecs:RunTask"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(57),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ecs:StartTask"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(58),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "elasticmapreduce:RunJobFlow"],
        services: &["ec2.amazonaws.com", "elasticmapreduce.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(59),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "emr-serverless:CreateApplication",
            "emr-serverless:StartJobRun",
        ],
        services: &["emr-serverless.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(60),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "gamelift:CreateBuild",
            "gamelift:CreateFleet",
            "gamelift:RequestUploadCredentials",
        ],
        services: &["gamelift.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(61),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:CreateDevEndpoint"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(62),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:CreateJob", "glue:CreateTrigger"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(63),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:CreateJob", "glue:StartJobRun"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(64),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:CreateSession", "glue:RunStatement"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(65),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:CreateTrigger", "glue:UpdateJob"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(66),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "glue:StartJobRun", "glue:UpdateJob"],
        services: &["glue.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(67),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "imagebuilder:CreateComponent",
            "imagebuilder:CreateImage",
            "imagebuilder:CreateImageRecipe",
            "imagebuilder:CreateInfrastructureConfiguration",
        ],
        services: &["ec2.amazonaws.com", "imagebuilder.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(68),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "kinesisanalytics:CreateApplication",
            "kinesisanalytics:StartApplication",
        ],
        services: &["kinesisanalytics.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(69),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "lambda:AddPermission", "lambda:CreateFunction"],
        services: &["lambda.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(70),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "lambda:CreateEventSourceMapping", "lambda:CreateFunction"],
        services: &["lambda.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(71),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "lambda:CreateFunction"],
        services: &["lambda.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(72),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"],
        services: &["lambda.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(73),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "omics:CreateWorkflow", "omics:StartRun", "s3:GetObject"],
        services: &["omics.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(74),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "sagemaker:CreateNotebookInstance"],
        services: &["sagemaker.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(75),
        class: Class::NewPassrole,
        actions: &[
            "iam:PassRole",
            "sagemaker:CreateNotebookInstance",
            "sagemaker:CreatePresignedNotebookInstanceUrl",
        ],
        services: &["sagemaker.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(76),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "sagemaker:CreateProcessingJob"],
        services: &["sagemaker.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(77),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "sagemaker:CreateTrainingJob"],
        services: &["sagemaker.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(78),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "scheduler:CreateSchedule"],
        services: &["scheduler.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(79),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "ssm:CreateDocument", "ssm:StartAutomationExecution"],
        services: &["ssm.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(80),
        class: Class::NewPassrole,
        actions: &["iam:PassRole", "states:CreateStateMachine", "states:StartExecution"],
        services: &["states.amazonaws.com"],
        carrier: None,
    },
    Row {
        id: PathId(81),
        class: Class::ExistingPassrole,
        actions: &["apprunner:UpdateService"],
        services: &[
            "tasks.apprunner.amazonaws.com",
            "apprunner.amazonaws.com",
            "build.apprunner.amazonaws.com",
        ],
        carrier: Some("App Runner service"),
    },
    Row {
        id: PathId(82),
        class: Class::ExistingPassrole,
        actions: &["batch:SubmitJob"],
        services: &["ecs-tasks.amazonaws.com", "batch.amazonaws.com"],
        carrier: Some("job definition"),
    },
    Row {
        id: PathId(83),
        class: Class::ExistingPassrole,
        actions: &[
            "bedrock-agentcore:ConnectBrowserAutomationStream",
            "bedrock-agentcore:StartBrowserSession",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: Some("agent runtime, browser or code interpreter"),
    },
    Row {
        id: PathId(84),
        class: Class::ExistingPassrole,
        actions: &["bedrock-agentcore:InvokeAgentRuntimeCommand"],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: Some("agent runtime, browser or code interpreter"),
    },
    Row {
        id: PathId(85),
        class: Class::ExistingPassrole,
        actions: &[
            "bedrock-agentcore:InvokeCodeInterpreter",
            "bedrock-agentcore:StartCodeInterpreterSession",
        ],
        services: &["bedrock-agentcore.amazonaws.com"],
        carrier: Some("agent runtime, browser or code interpreter"),
    },
    Row {
        id: PathId(86),
        class: Class::ExistingPassrole,
        actions: &["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"],
        services: &["cloudformation.amazonaws.com"],
        carrier: Some("stack"),
    },
    Row {
        id: PathId(87),
        class: Class::ExistingPassrole,
        actions: &["cloudformation:UpdateStack"],
        services: &["cloudformation.amazonaws.com"],
        carrier: Some("stack"),
    },
    Row {
        id: PathId(88),
        class: Class::ExistingPassrole,
        actions: &["codebuild:StartBuild"],
        services: &["codebuild.amazonaws.com"],
        carrier: Some("build project"),
    },
    Row {
        id: PathId(89),
        class: Class::ExistingPassrole,
        actions: &["codebuild:StartBuildBatch"],
        services: &["codebuild.amazonaws.com"],
        carrier: Some("build project"),
    },
    Row {
        id: PathId(90),
        class: Class::ExistingPassrole,
        actions: &[
            "codedeploy:CreateDeployment",
            "codedeploy:GetDeploymentConfig",
            "codedeploy:RegisterApplicationRevision",
        ],
        services: &["ec2.amazonaws.com", "codedeploy.amazonaws.com"],
        carrier: Some("deployment group"),
    },
    Row {
        id: PathId(91),
        class: Class::ExistingPassrole,
        actions: &["ec2-instance-connect:SendSSHPublicKey", "ec2:DescribeInstances"],
        services: &["ec2.amazonaws.com"],
        carrier: Some("instance"),
    },
    Row {
        id: PathId(92),
        class: Class::ExistingPassrole,
        actions: &["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"],
        services: &["ec2.amazonaws.com"],
        carrier: Some("launch template"),
    },
    Row {
        id: PathId(93),
        class: Class::ExistingPassrole,
        actions: &["ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances"],
        services: &["ec2.amazonaws.com"],
        carrier: Some("instance"),
    },
    Row {
        id: PathId(94),
        class: Class::ExistingPassrole,
        actions: &["ecs:DescribeTasks", "ecs:ExecuteCommand"],
        services: &["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"],
        carrier: Some("task"),
    },
    Row {
        id: PathId(95),
        class: Class::ExistingPassrole,
        actions: &["glue:UpdateDevEndpoint"],
        services: &["glue.amazonaws.com"],
        carrier: Some("development endpoint"),
    },
    Row {
        id: PathId(96),
        class: Class::ExistingPassrole,
        actions: &["lambda:AddPermission", "lambda:UpdateFunctionCode"],
        services: &["lambda.amazonaws.com"],
        carrier: Some("function"),
    },
    Row {
        id: PathId(97),
        class: Class::ExistingPassrole,
        actions: &["lambda:InvokeFunction", "lambda:UpdateFunctionCode"],
        services: &["lambda.amazonaws.com"],
        carrier: Some("function"),
    },
    Row {
        id: PathId(98),
        class: Class::ExistingPassrole,
        actions: &["lambda:UpdateFunctionCode"],
        services: &["lambda.amazonaws.com"],
        carrier: Some("function"),
    },
    Row {
        id: PathId(99),
        class: Class::ExistingPassrole,
        actions: &["lambda:UpdateFunctionConfiguration"],
        services: &["lambda.amazonaws.com"],
        carrier: Some("function"),
    },
    Row {
        id: PathId(100),
        class: Class::ExistingPassrole,
        actions: &[
            "sagemaker:CreateNotebookInstanceLifecycleConfig",
            "sagemaker:StartNotebookInstance",
            "sagemaker:StopNotebookInstance",
            "sagemaker:UpdateNotebookInstance",
        ],
        services: &["sagemaker.amazonaws.com"],
        carrier: Some("notebook instance"),
    },
    Row {
        id: PathId(101),
        class: Class::ExistingPassrole,
        actions: &["sagemaker:CreatePresignedNotebookInstanceUrl"],
        services: &["sagemaker.amazonaws.com"],
        carrier: Some("notebook instance"),
    },
    Row {
        id: PathId(102),
        class: Class::ExistingPassrole,
        actions: &["ssm:SendCommand"],
        services: &["ec2.amazonaws.com", "ssm.amazonaws.com"],
        carrier: Some("managed instance"),
    },
    Row {
        id: PathId(103),
        class: Class::ExistingPassrole,
        actions: &["ssm:StartSession"],
        services: &["ec2.amazonaws.com", "ssm.amazonaws.com"],
        carrier: Some("managed instance"),
    },
    Row {
        id: PathId(104),
        class: Class::ExistingPassrole,
        actions: &["states:StartExecution", "states:UpdateStateMachine"],
        services: &["states.amazonaws.com"],
        carrier: Some("state machine"),
    },
    Row {
        id: PathId(105),
        class: Class::Directory,
        actions: &["sso:AttachManagedPolicyToPermissionSet"],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(106),
        class: Class::Directory,
        actions: &[
            "sso:AttachManagedPolicyToPermissionSet",
            "sso:CreateAccountAssignment",
            "sso:CreatePermissionSet",
        ],
        services: &[],
        carrier: None,
    },
    Row {
        id: PathId(107),
        class: Class::Directory,
        actions: &["sso:PutInlinePolicyToPermissionSet"],
        services: &[],
        carrier: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_catalog::Catalog;

    #[test]
    fn rows_are_numbered_and_name_known_actions() {
        assert_eq!(ROWS.len(), 107);
        for (row, number) in ROWS.iter().zip(1..) {
            assert_eq!(row.id, PathId(number));
            for action in row.actions {
                let (service, name) = action.split_once(':').unwrap();
                // CodeStar ended in 2024, and its actions left the catalog.
                let known = Catalog::embedded().action(service, name);
                assert!(known.is_some() || service == "codestar", "{action}");
                assert_eq!(known.map_or(name, |known| &known.name), name);
            }
            let passes = row.actions.contains(&"iam:PassRole");
            assert_eq!(passes, row.class == Class::NewPassrole, "{}", row.id);
            assert_eq!(row.carrier.is_some(), row.class == Class::ExistingPassrole, "{}", row.id);
        }
    }
}
